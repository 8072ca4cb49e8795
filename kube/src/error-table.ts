import type { ClientErrorCode } from './client/client-error.ts';
import type { StatusReason } from './status/status.ts';

/** `NotFound` → `NOT_FOUND`, as {@link StatusError} makes its codes. */
type UpperSnake<
  Text extends string,
  First extends boolean = true,
> = Text extends `${infer Letter}${infer Rest}`
  ? Letter extends Lowercase<Letter>
    ? `${Uppercase<Letter>}${UpperSnake<Rest, false>}`
    : `${First extends true ? '' : '_'}${Letter}${UpperSnake<Rest, false>}`
  : '';

/** The codes of StatusError: one for each reason of the API, and one for a Status without a reason. */
export type StatusErrorCode = `ERR_KUBE_${UpperSnake<Exclude<StatusReason, ''>>}` | 'ERR_KUBE_UNKNOWN';

interface ErrorDescription {
  readonly meaning: string;
  readonly remedy: string;
}

/**
 * What each code of this package means and what to do about it; docs/errors.md is made from this table. The types
 * keep it complete for Status reasons and for the client, a test for the rest.
 */
export const KUBE_ERRORS = {
  ERR_KUBE_ALREADY_EXISTS: {
    meaning: 'Status 409, reason AlreadyExists: there is an object of this name.',
    remedy: 'Read it and update it, or choose another name.',
  },
  ERR_KUBE_BAD_REQUEST: {
    meaning: 'Status 400, reason BadRequest: the request cannot be understood.',
    remedy: 'Correct the request; the message says what is wrong with it.',
  },
  ERR_KUBE_CLIENT_BAD_RESPONSE: {
    meaning:
      'The answer is not what the API promises: no JSON, a watch event without an object, a version that went back.',
    remedy:
      'See whether the address is that of an API server, and whether a proxy in between alters answers.',
  },
  ERR_KUBE_CLIENT_CLOSED: {
    meaning: 'The client, informer, queue or elector was closed before.',
    remedy: 'Nothing to do during a stop. Otherwise it is used after its end: a mistake in the program.',
  },
  ERR_KUBE_CLIENT_CONFIG: {
    meaning: 'The settings contradict each other or are incomplete.',
    remedy: 'Correct the setting or the kubeconfig that the message names.',
  },
  ERR_KUBE_CLIENT_CONNECTION: {
    meaning: 'The API server could not be reached, or the connection broke.',
    remedy:
      'Reflectors try again by themselves. If it goes on, look at the address, the network and the server.',
  },
  ERR_KUBE_CLIENT_FULL: {
    meaning: 'A bound was reached: the keys that a workqueue may hold.',
    remedy: 'Find why the workers do not keep up, or raise the limit that the message names.',
  },
  ERR_KUBE_CLIENT_STALLED: {
    meaning:
      'Something went on for longer than it may: a watch beyond its time-out or without the end of its initial events, or a lease that was not renewed.',
    remedy:
      'Reflectors and electors begin again by themselves. If it goes on, look at the load of the API server and at the network.',
  },
  ERR_KUBE_CLIENT_TIMEOUT: {
    meaning: 'No answer, or not all of it, within the time-out.',
    remedy:
      'Calls of reflectors and electors are repeated. If it goes on, look at the load of the API server.',
  },
  ERR_KUBE_CLIENT_TOO_LARGE: {
    meaning: 'An answer, or one event of a watch, is larger than the limit.',
    remedy: 'Look at the object that the message names; raise the limit if the size is legitimate.',
  },
  ERR_KUBE_CONFLICT: {
    meaning: 'Status 409, reason Conflict: the object has another version or uid than the writer believes.',
    remedy: 'Read the object again, apply the change to what was read, and write it.',
  },
  ERR_KUBE_EXPIRED: {
    meaning: 'Status 410, reason Expired: the version is older than the history that is kept.',
    remedy: 'List again without a version. Reflectors do that by themselves.',
  },
  ERR_KUBE_FORBIDDEN: {
    meaning: 'Status 403, reason Forbidden: the caller is known and may not do this.',
    remedy: 'Grant the right, or see which admission rule the message names.',
  },
  ERR_KUBE_GONE: {
    meaning: 'Status 410, reason Gone: this is not there any more and will not come back.',
    remedy: 'Do not ask again.',
  },
  ERR_KUBE_INTERNAL_ERROR: {
    meaning: 'Status 500, reason InternalError: the server failed in a way that no caller caused.',
    remedy: 'Look at the log of the server, where the cause is, and report it.',
  },
  ERR_KUBE_INVALID: {
    meaning: 'Status 422, reason Invalid: fields of the object do not hold what they have to.',
    remedy: 'Correct the fields that `details.causes` names.',
  },
  ERR_KUBE_METHOD_NOT_ALLOWED: {
    meaning: 'Status 405, reason MethodNotAllowed: the resource does not have this verb.',
    remedy: 'Use a verb that discovery lists for the resource.',
  },
  ERR_KUBE_NOT_ACCEPTABLE: {
    meaning: 'Status 406, reason NotAcceptable: none of the media types asked for can be produced.',
    remedy: 'Ask for one of those that the message lists.',
  },
  ERR_KUBE_NOT_FOUND: {
    meaning: 'Status 404, reason NotFound: there is no such object, or no such resource.',
    remedy: 'Compare group, resource, namespace and name with what is there.',
  },
  ERR_KUBE_REQUEST_ENTITY_TOO_LARGE: {
    meaning: 'Status 413, reason RequestEntityTooLarge: the body is over the limit.',
    remedy: 'Send less. The message states the limit in bytes.',
  },
  ERR_KUBE_SERVER_TIMEOUT: {
    meaning: 'Status 500, reason ServerTimeout: the operation may or may not have happened.',
    remedy: 'Read the state, then try again after `details.retryAfterSeconds`.',
  },
  ERR_KUBE_SERVICE_UNAVAILABLE: {
    meaning: 'Status 503, reason ServiceUnavailable: the server is stopping, or its store cannot write.',
    remedy: 'Try again later. If it goes on, look at the log of the server and at its disk.',
  },
  ERR_KUBE_STORE_BACKUP_FAILED: {
    meaning: 'The backup could not be written; the store itself is not affected.',
    remedy:
      'Give a path at which there is no file yet, in a folder that can be written, on a disk with room.',
  },
  ERR_KUBE_STORE_CANNOT_OPEN: {
    meaning: 'The store file cannot be opened or made.',
    remedy: 'Look at the path, its folder, the rights on it and the disk; the message has the cause.',
  },
  ERR_KUBE_STORE_CLOSED: {
    meaning: 'The store was closed before.',
    remedy: 'Nothing to do during a stop. Otherwise it is used after its end: a mistake in the program.',
  },
  ERR_KUBE_STORE_DAMAGED: {
    meaning: 'The store file does not hold what was written to it.',
    remedy: 'Move it out of the way, with its `-wal` file, and restore a backup. Check the disk.',
  },
  ERR_KUBE_STORE_FAILED: {
    meaning:
      'The disk reported an error. What became of the writes under way is not known; the store takes no more writes, reads go on.',
    remedy: 'Check the disk, then restart.',
  },
  ERR_KUBE_STORE_FOREIGN: {
    meaning: 'The file is a database of something else. Nothing in it was changed.',
    remedy: 'Give another path.',
  },
  ERR_KUBE_STORE_IN_USE: {
    meaning: 'Another process has the store file open.',
    remedy: 'Stop it, or give another path.',
  },
  ERR_KUBE_STORE_TOO_NEW: {
    meaning: 'A newer release wrote the store file. Nothing in it was changed.',
    remedy: 'Run that release, or restore a backup from before the upgrade.',
  },
  ERR_KUBE_STORE_WRITE_FAILED: {
    meaning:
      'The store file cannot grow: the disk or the size limit of the store is full. Nothing was written.',
    remedy: 'Free disk space, or raise the limit. The next write may succeed.',
  },
  ERR_KUBE_TIMEOUT: {
    meaning:
      'Status 504, reason Timeout: it took too long, or the version asked for is one that this server has not reached.',
    remedy: 'Try again after `details.retryAfterSeconds`.',
  },
  ERR_KUBE_TOO_MANY_REQUESTS: {
    meaning: 'Status 429, reason TooManyRequests: too much is under way or waits for the disk.',
    remedy: 'Try again after the Retry-After of the answer.',
  },
  ERR_KUBE_UNAUTHORIZED: {
    meaning: 'Status 401, reason Unauthorized: the caller is not known.',
    remedy: 'Give a valid client certificate or token.',
  },
  ERR_KUBE_UNKNOWN: {
    meaning: 'A Status without a reason.',
    remedy: 'Read the message, and look at the log of the server.',
  },
  ERR_KUBE_UNSUPPORTED_MEDIA_TYPE: {
    meaning: 'Status 415, reason UnsupportedMediaType: the body is in a form that is not read here.',
    remedy: 'Send one of the media types that the message lists.',
  },
} as const satisfies Record<StatusErrorCode | ClientErrorCode, ErrorDescription> &
  Record<`ERR_KUBE_STORE_${string}`, ErrorDescription>;

/** A stable code of this package, see docs/errors.md. */
export type KubeErrorCode = keyof typeof KUBE_ERRORS;
