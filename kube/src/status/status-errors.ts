import type { GroupResource } from '../store/store.ts';
import { fieldErrorCauses, fieldErrorsMessage, type FieldError } from './field-error.ts';
import { goQuote } from './go-format.ts';
import { StatusError, type StatusCause, type StatusDetails, type StatusReason } from './status.ts';

/** What an Invalid error names: unlike other errors it speaks of kinds. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** `configmaps`, `leases.coordination.k8s.io`. */
export function formatGroupResource({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`;
}

/** `ConfigMap`, `Lease.coordination.k8s.io`. */
export function formatGroupKind({ group, kind }: GroupKind): string {
  return group === '' ? kind : `${kind}.${group}`;
}

/**
 * A failure Status of any kind; the factories below are for those that the API defines.
 * Source of all messages: k8s.io/apimachinery api/errors, and answers of kube-apiserver 1.36.
 */
export function failure(
  code: number,
  reason: StatusReason,
  message: string,
  details?: StatusDetails,
  options?: ErrorOptions,
): StatusError {
  return new StatusError(
    {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message,
      ...(reason === '' ? {} : { reason }),
      ...(details === undefined ? {} : { details }),
      code,
    },
    options,
  );
}

/** `details` naming a resource (or kind); what is empty is left out, as Go does. */
function about(group: string, kind: string, name: string): StatusDetails {
  return {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    ...(kind === '' ? {} : { kind }),
  };
}

function aboutResource({ group, resource }: GroupResource, name = ''): StatusDetails {
  return about(group, resource, name);
}

/** 404: `configmaps "a" not found`. */
export function notFound(resource: GroupResource, name: string): StatusError {
  const message = `${formatGroupResource(resource)} ${goQuote(name)} not found`;
  return failure(404, 'NotFound', message, aboutResource(resource, name));
}

/** 404 for a path that leads to no resource. */
export function noSuchResource(): StatusError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {});
}

/** 409: `configmaps "a" already exists`. */
export function alreadyExists(resource: GroupResource, name: string): StatusError {
  const message = `${formatGroupResource(resource)} ${goQuote(name)} already exists`;
  return failure(409, 'AlreadyExists', message, aboutResource(resource, name));
}

/** 409 for a generateName that found no free name; the client is to try again after a second. */
export function generateNameConflict(resource: GroupResource, name: string): StatusError {
  const message =
    `${formatGroupResource(resource)} ${goQuote(name)} already exists, ` +
    'the server was not able to generate a unique name for the object';
  return failure(409, 'AlreadyExists', message, { ...aboutResource(resource, name), retryAfterSeconds: 1 });
}

const MODIFIED =
  'the object has been modified; please apply your changes to the latest version and try again';

/** 409: `Operation cannot be fulfilled on …`. Without `why`: the object has a newer version. */
export function conflict(resource: GroupResource, name: string, why: string = MODIFIED): StatusError {
  const message = `Operation cannot be fulfilled on ${formatGroupResource(resource)} ${goQuote(name)}: ${why}`;
  return failure(409, 'Conflict', message, aboutResource(resource, name));
}

/** 409 for a uid that is not the stored object's. `key`: the object's path in the registry. */
export function uidConflict(
  resource: GroupResource,
  object: { namespace: string; name: string; uid: string; expectedUid: string },
): StatusError {
  const path = [resource.group, resource.resource, object.namespace, object.name].filter(
    (part) => part !== '',
  );
  return conflict(
    resource,
    object.name,
    `StorageError: invalid object, Code: 4, Key: /registry/${path.join('/')}, ResourceVersion: 0, ` +
      `AdditionalErrorMsg: Precondition failed: UID in precondition: ${object.expectedUid}, ` +
      `UID in object meta: ${object.uid}`,
  );
}

/** 409 for the uid in DeleteOptions.preconditions; it names the kind, e.g. `Pod "p1"`. */
export function deleteUidConflict(
  kind: GroupKind,
  name: string,
  expected: string,
  actual: string,
): StatusError {
  return conflict(
    { group: kind.group, resource: kind.kind },
    name,
    `the UID in the precondition (${expected}) does not match the UID in record (${actual}). ` +
      'The object might have been deleted and then recreated',
  );
}

/** 409 for the resourceVersion in DeleteOptions.preconditions. */
export function deleteVersionConflict(
  kind: GroupKind,
  name: string,
  expected: string,
  actual: string,
): StatusError {
  return conflict(
    { group: kind.group, resource: kind.kind },
    name,
    `the ResourceVersion in the precondition (${expected}) does not match the ResourceVersion in record ` +
      `(${actual}). The object might have been modified`,
  );
}

/** 422 with one cause per error: `ConfigMap "a" is invalid: data: Required value`. */
export function invalid(kind: GroupKind, name: string, errors: readonly FieldError[]): StatusError {
  const subject = `${formatGroupKind(kind)} ${goQuote(name)} is invalid`;
  const message = errors.length === 0 ? subject : `${subject}: ${fieldErrorsMessage(errors)}`;
  const details = about(kind.group, kind.kind, name);
  const causes = fieldErrorCauses(errors);
  return failure(422, 'Invalid', message, causes.length === 0 ? details : { ...details, causes });
}

/** 422 without any detail: what a JSON patch that cannot be applied gets. */
export function unprocessable(options?: ErrorOptions): StatusError {
  const message = 'the server rejected our request due to an error in our request';
  return failure(422, 'Invalid', message, {}, options);
}

/** 403: `configmaps "a" is forbidden: …`; without a name `configmaps is forbidden: …`. */
export function forbidden(
  resource: GroupResource,
  name: string,
  why: string,
  causes?: readonly StatusCause[],
): StatusError {
  const subject = name === '' ? '' : ` ${goQuote(name)}`;
  const message = `${formatGroupResource(resource)}${subject} is forbidden: ${why}`;
  const details = aboutResource(resource, name);
  return failure(403, 'Forbidden', message, causes === undefined ? details : { ...details, causes });
}

/** 403 for a path that is no resource: `forbidden: User "x" cannot get path "/metrics"`. */
export function forbiddenPath(why: string): StatusError {
  return failure(403, 'Forbidden', `forbidden: ${why}`, {});
}

/** 401. */
export function unauthorized(message = 'Unauthorized'): StatusError {
  return failure(401, 'Unauthorized', message);
}

/** 400. */
export function badRequest(message: string, options?: ErrorOptions): StatusError {
  return failure(400, 'BadRequest', message, undefined, options);
}

/** 405 for a verb that the resource does not have. */
export function methodNotAllowed(): StatusError {
  const message = 'the server does not allow this method on the requested resource';
  return failure(405, 'MethodNotAllowed', message, {});
}

/** 405 that names verb and resource: `create is not supported on resources of kind "x"`. */
export function methodNotSupported(resource: GroupResource, verb: string): StatusError {
  const message = `${verb} is not supported on resources of kind ${goQuote(formatGroupResource(resource))}`;
  return failure(405, 'MethodNotAllowed', message, aboutResource(resource));
}

/** 406; `available`: the media types that the server can produce. */
export function notAcceptable(available: readonly string[]): StatusError {
  const message = `406: Not Acceptable\n\nAvailable representations: ${available.join(', ')}`;
  return failure(406, 'NotAcceptable', message, {});
}

/** 415 for a body's Content-Type; `accepted`: the media types that the server reads. */
export function unsupportedMediaType(accepted: readonly string[]): StatusError {
  const message = `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`;
  return failure(415, 'UnsupportedMediaType', message);
}

/** 415 as answered before the resource is known (a patch of an unknown type). */
export function unsupportedPatchType(): StatusError {
  return failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
}

/** 413: the body is over the limit, in bytes. */
export function requestEntityTooLarge(limitBytes: number): StatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`);
}

/** 410 of a list or watch whose version is no longer kept. */
export function expired(message: string): StatusError {
  return failure(410, 'Expired', message);
}

/** 410 of a watch (and of the store): `too old resource version: 1 (2230)`; `oldest` is where one can start. */
export function tooOldResourceVersion(version: number, oldest: number): StatusError {
  return expired(`too old resource version: ${version} (${oldest})`);
}

/** 410 of a list at an exact version. */
export function listTooOld(): StatusError {
  return expired('The resourceVersion for the provided list is too old.');
}

/** 504 with `Retry-After: 1`: a version that this server has not reached yet. */
export function resourceVersionTooLarge(version: number | string, current: number): StatusError {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** 410 for good: unlike {@link expired} there is nothing to list again. */
export function gone(message: string): StatusError {
  return failure(410, 'Gone', message);
}

/** 504: an operation that took too long; `retryAfterSeconds` becomes the Retry-After header. */
export function timeout(message: string, retryAfterSeconds?: number): StatusError {
  const details = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return failure(504, 'Timeout', `Timeout: ${message}`, details);
}

/** 500, reason ServerTimeout: the operation may or may not have happened; try again. */
export function serverTimeout(
  resource: GroupResource,
  operation: string,
  retryAfterSeconds: number,
): StatusError {
  const message =
    `The ${operation} operation against ${formatGroupResource(resource)} ` +
    'could not be completed at this time, please try again.';
  return failure(500, 'ServerTimeout', message, { ...aboutResource(resource), retryAfterSeconds });
}

/** 429 with Retry-After. */
export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return failure(429, 'TooManyRequests', message, { retryAfterSeconds });
}

/** 503. */
export function serviceUnavailable(message: string, options?: ErrorOptions): StatusError {
  return failure(503, 'ServiceUnavailable', message, undefined, options);
}

/** 500: `Internal error occurred: …`. */
export function internalError(message: string, options?: ErrorOptions): StatusError {
  const details = { causes: [{ message }] };
  return failure(500, 'InternalError', `Internal error occurred: ${message}`, details, options);
}

/** 500 without reason or details: what the API server answers where an error has no API form of its own. */
export function plainError(message: string, options?: ErrorOptions): StatusError {
  return failure(500, '', message, undefined, options);
}
