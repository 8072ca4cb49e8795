import { isPlainObject, type JsonObject } from '../../meta/json.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { invalid } from '../../status/status-errors.ts';
import { dryRunErrors } from '../http/query-options.ts';
import { decodeStruct } from '../types/decode.ts';

/** What becomes of an object's dependents. */
export type Propagation = 'Foreground' | 'Background' | 'Orphan';

/** How to delete. Source: meta/v1 DeleteOptions. */
export interface DeleteOptions {
  readonly dryRun: boolean;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagation: Propagation | undefined;
  /** The old spelling of propagation. */
  readonly orphanDependents: boolean | undefined;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
}

/** No wishes. */
export const DELETE_DEFAULTS: DeleteOptions = {
  dryRun: false,
  gracePeriodSeconds: undefined,
  propagation: undefined,
  orphanDependents: undefined,
  preconditions: {},
};

const POLICIES: readonly string[] = ['Foreground', 'Background', 'Orphan'];

/**
 * Reads DeleteOptions from a body, or from the query if there is no body.
 * @throws DecodeError, StatusError Invalid.
 */
export function deleteOptions(body: JsonObject | undefined, query: URLSearchParams): DeleteOptions {
  const raw = decodeStruct('DeleteOptions', body ?? fromQuery(query), []);
  const dryRun = [
    ...(Array.isArray(raw['dryRun']) ? (raw['dryRun'] as string[]) : []),
    ...query.getAll('dryRun'),
  ];
  const propagation = raw['propagationPolicy'] as string | undefined; // decoded as a string
  const orphanDependents = raw['orphanDependents'] as boolean | undefined; // decoded as a boolean
  const errors = optionErrors(
    propagation,
    orphanDependents,
    body === undefined ? dryRun : [...new Set(dryRun)],
  );
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return {
    dryRun: dryRun.length > 0,
    gracePeriodSeconds: raw['gracePeriodSeconds'] as number | undefined, // decoded as an integer
    propagation: propagation as Propagation | undefined,
    orphanDependents,
    preconditions: isPlainObject(raw['preconditions']) ? raw['preconditions'] : {},
  };
}

function fromQuery(query: URLSearchParams): JsonObject {
  const grace = query.get('gracePeriodSeconds');
  const orphan = query.get('orphanDependents');
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(orphan === null ? {} : { orphanDependents: orphan === 'true' }),
    ...(query.has('propagationPolicy') ? { propagationPolicy: query.get('propagationPolicy') } : {}),
  };
}

/** Source: meta/v1/validation ValidateDeleteOptions. */
function optionErrors(
  propagation: string | undefined,
  orphanDependents: boolean | undefined,
  dryRun: readonly string[],
): FieldError[] {
  const errors: FieldError[] = [];
  if (propagation !== undefined && orphanDependents !== undefined) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(field.invalid('propagationPolicy', propagation, detail));
  }
  if (propagation !== undefined && !POLICIES.includes(propagation)) {
    errors.push(field.notSupported('propagationPolicy', propagation, [...POLICIES, 'nil']));
  }
  return [...errors, ...dryRunErrors(dryRun)];
}
