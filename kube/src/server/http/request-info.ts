import { FieldSelector } from '../../meta/field-selector.ts';
import { badRequest } from '../../status/status-errors.ts';
import { StatusError } from '../../status/status.ts';

/** What a request is about. Source: k8s.io/apiserver endpoints/request RequestInfo. */
export interface RequestInfo {
  /** Whether the path leads to a resource; otherwise only `verb` (the method in lower case) and `path` count. */
  readonly isResource: boolean;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`. */
  readonly verb: string;
  readonly path: string;
  /** '' for the core group. */
  readonly group: string;
  readonly version: string;
  /** '' if the path names none. */
  readonly namespace: string;
  readonly resource: string;
  /** '' if none; of `pods/p/proxy/a/b` it is `proxy`, and `a/b` is {@link tail}. */
  readonly subresource: string;
  readonly name: string;
  /** What follows the subresource. */
  readonly tail: string;
  /** The one name that a list, watch or deletecollection asks for by field selector; else `name`. */
  readonly selectedName: string;
}

const METHOD_VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/**
 * Reads method and URL.
 * @throws StatusError BadRequest for a path with a broken escape.
 */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const plain = nonResource(method, path);
  const [prefix] = parts;
  if (prefix !== 'api' && prefix !== 'apis') return plain;
  const groupParts = prefix === 'api' ? 2 : 3;
  if (parts.length <= groupParts) return plain;
  const group = prefix === 'api' ? '' : (parts[1] ?? '');
  const version = parts[groupParts - 1] ?? '';
  let rest = parts.slice(groupParts);
  let verb = METHOD_VERBS[method] ?? '';
  const watchPrefix = rest[0] === 'watch';
  if (watchPrefix) {
    rest = rest.slice(1);
    verb = 'watch';
    if (rest.length === 0) return plain;
  }
  const place = locate(rest);
  const base = { isResource: true, path, group, version, ...place };
  if (place.name !== '' || !(verb === 'get' || verb === 'delete' || verb === 'watch')) {
    return { ...base, verb, selectedName: place.name };
  }
  if (verb === 'get') verb = isTrue(query.get('watch')) ? 'watch' : 'list';
  else if (verb === 'delete') verb = 'deletecollection';
  return { ...base, verb, selectedName: selectedName(query) };
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResource: false,
    verb: method.toLowerCase(),
    path,
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    tail: '',
    selectedName: '',
  };
}

type Place = Pick<RequestInfo, 'namespace' | 'resource' | 'subresource' | 'name' | 'tail'>;

/** Splits `namespaces/NS/RESOURCE/NAME/SUBRESOURCE` and its shorter forms. */
function locate(parts: readonly string[]): Place {
  const [first = '', second = '', third = ''] = parts;
  if (first === 'namespaces' && third !== '' && !NAMESPACE_SUBRESOURCES.has(third)) {
    return { namespace: second, ...named(parts.slice(2)) };
  }
  // A namespace is in itself, for authorization; its key in the store is not.
  return { namespace: first === 'namespaces' ? second : '', ...named(parts) };
}

function named(parts: readonly string[]): Omit<Place, 'namespace'> {
  const [resource = '', name = '', subresource = '', ...tail] = parts;
  return { resource, name, subresource, tail: tail.join('/') };
}

function selectedName(query: URLSearchParams): string {
  const selector = query.get('fieldSelector');
  if (!selector?.includes('metadata.name')) return '';
  try {
    return FieldSelector.parse(selector).requiredValue('metadata.name') ?? '';
  } catch (error) {
    if (error instanceof StatusError) return ''; // the list itself will refuse it
    throw error;
  }
}

/** A boolean of the query: present without value, `1`, `true` and so on mean true. */
export function isTrue(value: string | null): boolean {
  return value !== null && !['0', 'false', 'f', 'F', 'FALSE', 'False'].includes(value);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    throw badRequest(`invalid URL escape in ${JSON.stringify(part)}`, { cause: error });
  }
}
