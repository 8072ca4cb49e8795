import { field, type FieldError } from '../../status/field-error.ts';
import { badRequest, invalid } from '../../status/status-errors.ts';
import { isTrue } from './request-info.ts';

/** How unknown and repeated fields of a body are treated. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict';

/** Options of writes. Source: meta/v1 CreateOptions, UpdateOptions, PatchOptions. */
export interface WriteOptions {
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  /** '' if not given. */
  readonly fieldManager: string;
  readonly force: boolean;
}

/** Options of lists and watches, as they came. Source: meta/v1 ListOptions. */
export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** '' if not given. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: '' | 'Exact' | 'NotOlderThan';
  /** 0: none. */
  readonly limit: number;
  readonly continueToken: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

const VALIDATIONS: readonly string[] = ['', 'Ignore', 'Strict', 'Warn'];
const MANAGER_LIMIT = 128;
const META_GROUP = 'meta.k8s.io';

/**
 * Reads the options of a write; `kind` names them in errors.
 * @throws StatusError Invalid.
 */
export function writeOptions(
  query: URLSearchParams,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  isApply = false,
): WriteOptions {
  const errors: FieldError[] = [];
  const fieldManager = query.get('fieldManager') ?? '';
  if (kind === 'PatchOptions') {
    if (isApply && fieldManager === '')
      errors.push(field.required('fieldManager', 'is required for apply patch'));
    if (!isApply && query.has('force')) {
      errors.push(field.forbidden('force', 'may not be specified for non-apply patch'));
    }
  }
  if (fieldManager.length > MANAGER_LIMIT) errors.push(field.tooLong('fieldManager', MANAGER_LIMIT));
  const dryRun = query.getAll('dryRun');
  errors.push(...dryRunErrors(dryRun));
  const validation = query.get('fieldValidation') ?? '';
  if (!VALIDATIONS.includes(validation)) {
    errors.push(field.notSupported('fieldValidation', validation, VALIDATIONS));
  }
  if (errors.length > 0) throw invalid({ group: META_GROUP, kind }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation),
    fieldManager,
    force: isTrue(query.get('force')),
  };
}

/** What is wrong with `dryRun`: only `All` is known. */
export function dryRunErrors(dryRun: readonly string[]): FieldError[] {
  return dryRun.every((value) => value === 'All') ? [] : [field.notSupported('dryRun', dryRun, ['All'])];
}

/**
 * Reads the options of a list (or watch, or deletecollection).
 * @throws StatusError BadRequest for numbers that are none, Invalid for combinations that are forbidden.
 */
export function listOptions(query: URLSearchParams, isWatch: boolean): ListOptions {
  const options = {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: integer(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    timeoutSeconds: integer(query, 'timeoutSeconds'),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: query.has('sendInitialEvents') ? isTrue(query.get('sendInitialEvents')) : undefined,
  };
  const errors = isWatch ? watchErrors(options) : listErrors(options);
  if (errors.length > 0) throw invalid({ group: META_GROUP, kind: 'ListOptions' }, '', errors);
  return {
    ...options,
    resourceVersionMatch: options.resourceVersionMatch as ListOptions['resourceVersionMatch'],
  };
}

type RawListOptions = Omit<ListOptions, 'resourceVersionMatch'> & { resourceVersionMatch: string };

const MATCHES: readonly string[] = ['Exact', 'NotOlderThan', ''];

/** Source: k8s.io/apimachinery meta/internalversion/validation ValidateListOptions. */
function listErrors(options: RawListOptions): FieldError[] {
  const { resourceVersionMatch: match, resourceVersion, continueToken } = options;
  if (options.sendInitialEvents !== undefined) {
    return [field.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')];
  }
  if (match === '') return [];
  const path = 'resourceVersionMatch';
  const errors: FieldError[] = [];
  if (resourceVersion === '') {
    errors.push(
      field.forbidden(path, 'resourceVersionMatch is forbidden unless resourceVersion is provided'),
    );
  }
  if (continueToken !== '') {
    errors.push(field.forbidden(path, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  if (!MATCHES.includes(match)) errors.push(field.notSupported(path, match, MATCHES));
  if (match === 'Exact' && resourceVersion === '0') {
    errors.push(field.forbidden(path, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  return errors;
}

function watchErrors(options: RawListOptions): FieldError[] {
  const { resourceVersionMatch: match } = options;
  const path = 'resourceVersionMatch';
  if (options.sendInitialEvents === undefined) {
    return match === ''
      ? []
      : [
          field.forbidden(
            path,
            'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
          ),
        ];
  }
  if (match === '') {
    return [field.forbidden(path, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')];
  }
  if (match !== 'NotOlderThan') return [field.notSupported(path, match, ['NotOlderThan'])];
  return [];
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d+$/.test(text)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}
