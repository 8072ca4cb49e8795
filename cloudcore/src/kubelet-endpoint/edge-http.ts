import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { StreamDuplex } from '@hawser/proto';
import { deferred, type Clock } from '@hawser/seams';
import { KubeletRefusal } from './refusal.ts';

/** One request to the kubelet API of a node, without a body. */
export interface EdgeOrder {
  readonly node: string;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Until the head of the answer is there, milliseconds. */
  readonly headerMs: number;
  /** Gives the request up: the stream is destroyed. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** What an edge answered. */
export interface EdgeAnswer {
  readonly response: IncomingMessage;
  /** The stream speaks another protocol from here on; what of it has come already. */
  readonly upgraded: { readonly socket: Duplex; readonly head: Buffer } | undefined;
}

/**
 * Asks over a stream, and waits for the head of the answer. The stream is this request's alone, and is destroyed where
 * it fails.
 * @throws KubeletRefusal 502 where the edge failed, 504 where it said nothing in time; `signal.reason`
 */
export async function askEdge(stream: StreamDuplex, order: EdgeOrder): Promise<EdgeAnswer> {
  const { node, method, path, headers, headerMs, signal, clock } = order;
  const answer = deferred<EdgeAnswer>();
  const outgoing = httpRequest({
    ...{ method, path },
    // The edge has to know nothing of names and ports here.
    headers: {
      host: node,
      ...Object.fromEntries(Object.entries(headers).map(([key, all]) => [key, [...all]])),
    },
    createConnection: () => stream,
    setHost: false,
  });
  outgoing.on('response', (response) => answer.resolve({ response, upgraded: undefined }));
  outgoing.on('upgrade', (response, socket, head) => {
    if (headers['upgrade'] === undefined)
      answer.reject(failed(node, new Error('it speaks another protocol than it was asked to')));
    else answer.resolve({ response, upgraded: { socket, head } });
  });
  // Later ones are those of the answer, too, and it tells them.
  outgoing.on('error', (cause) => answer.reject(failed(node, cause)));
  const timer = clock.setTimer(headerMs, () => answer.reject(late(node, headerMs)));
  const onAbort = (): void => answer.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    outgoing.end();
    return await answer.promise;
  } catch (error) {
    stream.destroy();
    throw error;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

function failed(node: string, cause: Error): KubeletRefusal {
  const text = `node ${node} did not answer: ${cause.message}. See the log of its edge core`;
  return new KubeletRefusal(502, 'edge', text, { cause });
}

function late(node: string, headerMs: number): KubeletRefusal {
  const text = `node ${node} did not begin to answer within ${headerMs / 1000} s. Try again, and see the log of its edge core`;
  return new KubeletRefusal(504, 'timeout', text);
}
