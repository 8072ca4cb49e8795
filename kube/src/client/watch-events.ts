import type { KubeObject } from '../meta/object.ts';
import type { Status } from '../status/status.ts';
import { ClientError } from './client-error.ts';
import { LineSplitter } from './line-splitter.ts';
import { isStatus } from './response-status.ts';

/** One event of a watch. Source: k8s.io/apimachinery watch.Event, meta/v1 WatchEvent. */
export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly object: Pick<KubeObject, 'metadata'> }
  | { readonly type: 'ERROR'; readonly status: Status };

/** Set to `"true"` on the bookmark that ends a streaming list. Source: KEP-3157. */
export const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

const SHOWN = 80;

/**
 * Decodes the body of a watch: one JSON event per line.
 *
 * Ends when the body ends. A last line without its newline counts if it is whole; half a line means that the
 * connection broke.
 * Errors: `ERR_KUBE_CLIENT_BAD_RESPONSE` for a line that is no event, `ERR_KUBE_CLIENT_TOO_LARGE` for one over
 * `limitBytes`, `ERR_KUBE_CLIENT_CONNECTION` for half a line; those of `chunks` pass through.
 */
export async function* decodeWatchEvents(
  chunks: AsyncIterable<Buffer>,
  limitBytes: number,
): AsyncGenerator<WatchEvent, void, undefined> {
  const lines = new LineSplitter(limitBytes);
  for await (const chunk of chunks) {
    for (const line of lines.push(chunk)) yield decodeEvent(line);
  }
  const rest = lines.rest();
  if (rest.length === 0) return;
  if (!isWholeJson(rest)) {
    throw new ClientError('ERR_KUBE_CLIENT_CONNECTION', `the watch ended inside an event: ${shown(rest)}`);
  }
  yield decodeEvent(rest);
}

/** @throws ClientError `ERR_KUBE_CLIENT_BAD_RESPONSE` */
function decodeEvent(line: Buffer): WatchEvent {
  let value: { type?: unknown; object?: unknown } | null;
  try {
    value = JSON.parse(line.toString('utf8')) as typeof value;
  } catch (cause) {
    throw bad('no JSON', line, cause);
  }
  const object = value?.object as KubeObject | null | undefined;
  if (value === null || typeof object !== 'object' || object === null) throw bad('no object', line);
  if (value.type === 'ERROR') {
    if (!isStatus(object)) throw bad('an ERROR without a Status', line);
    return { type: 'ERROR', status: object };
  }
  const metadata = object.metadata as KubeObject['metadata'] | undefined;
  if (typeof metadata?.resourceVersion !== 'string') throw bad('no resourceVersion', line);
  if (value.type === 'BOOKMARK') return { type: 'BOOKMARK', object };
  if (value.type !== 'ADDED' && value.type !== 'MODIFIED' && value.type !== 'DELETED') {
    throw bad('an unknown type', line);
  }
  if (typeof metadata.name !== 'string') throw bad('no name', line);
  return { type: value.type, object };
}

function isWholeJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false; // that is the answer
  }
}

function bad(what: string, line: Buffer, cause?: unknown): ClientError {
  const message = `a watch event has ${what}: ${shown(line)}`;
  return new ClientError('ERR_KUBE_CLIENT_BAD_RESPONSE', message, { cause });
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, SHOWN).toString('utf8'));
}
