import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { Transform, type Duplex, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { requestEntityTooLarge, StatusError } from '@hawser/kube';
import { CALLER_HEADER, StreamDuplex, type Stream } from '@hawser/proto';
import { deferred, type Clock } from '@hawser/seams';
import { failedOnTheWay, noAnswer, notServed } from './cloud-failure.ts';

/** One request as it goes over a stream. */
export interface CloudRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** By name; without framing, credentials, and what is of one connection. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** Value of the header of this name. */
  readonly caller: string;
  /** `length`: as the client has said; undefined: it did not. */
  readonly body: { readonly from: Readable; readonly length: string | undefined } | undefined;
  /** What it is to change to; undefined: nothing. */
  readonly protocol: string | undefined;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/** Limits of a request, milliseconds and bytes. */
export interface CloudRequestLimits {
  /** Until the hub says that it has the head. One of a release before never does. */
  readonly takenMs: number;
  /** From when the hub has all of it until its answer begins. */
  readonly headerMs: number;
  readonly bodyMs: number;
  readonly bodyLimitBytes: number;
}

/** What came. */
export interface CloudResponse {
  readonly response: IncomingMessage;
  readonly upgraded: { readonly socket: Duplex; readonly head: Buffer } | undefined;
  /** Ends everything at once; harmless after the end. */
  readonly close: () => void;
}

const REPEATABLE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Makes a request over a stream of its own, and waits for the head of the answer. The stream is destroyed where that
 * fails.
 * @throws StatusError 413, 503, 504; `signal.reason`
 */
export async function askCloud(
  stream: Stream,
  asked: CloudRequest,
  limits: CloudRequestLimits,
  clock: Clock,
): Promise<CloudResponse> {
  const { method, path, headers, caller, body, protocol, signal } = asked;
  const duplex = new StreamDuplex(stream, { clock });
  duplex.on('error', () => {}); // the request tells it, and whoever reads the answer
  const progress = { taken: false, repeatable: REPEATABLE.has(method) };
  const answer = deferred<CloudResponse>();
  answer.promise.catch(() => {}); // awaited below, after the body
  const fail = (error: unknown): void => {
    answer.reject(error);
    duplex.destroy();
  };
  const outgoing = httpRequest({ method, path, createConnection: () => duplex, setHost: false });
  outgoing.setHeader('Host', 'api');
  for (const [name, values] of headers) outgoing.setHeader(name, values);
  outgoing.setHeader(CALLER_HEADER, caller);
  if (protocol !== undefined) outgoing.setHeader('Connection', 'Upgrade').setHeader('Upgrade', protocol);
  const close = (): void => void duplex.destroy();
  let patience = clock.setTimer(limits.takenMs, () => fail(notServed()));
  const taken = (): void => {
    if (progress.taken) return;
    progress.taken = true;
    patience.cancel();
    patience = clock.setTimer(limits.bodyMs, () => fail(noAnswer(limits.bodyMs, progress.repeatable)));
  };
  outgoing.on('information', taken);
  outgoing.on('response', (response) => answer.resolve({ response, upgraded: undefined, close }));
  outgoing.on('upgrade', (response, socket, head) => {
    if (protocol === undefined) fail(new Error('the hub speaks another protocol than it was asked to'));
    else answer.resolve({ response, upgraded: { socket, head }, close });
  });
  outgoing.on('error', (cause) => {
    const error = duplex.errored ?? cause; // of the stream, in place of "socket hang up"
    answer.reject(error instanceof StatusError ? error : failedOnTheWay(error, progress));
  });
  const onAbort = (): void => fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const sent = sendBody(body, outgoing, limits.bodyLimitBytes, fail);
    await Promise.race([sent, answer.promise]);
    await untilTaken(progress, outgoing, answer.promise);
    patience.cancel();
    patience = clock.setTimer(limits.headerMs, () => fail(noAnswer(limits.headerMs, progress.repeatable)));
    return await answer.promise;
  } catch (error) {
    duplex.destroy();
    throw error;
  } finally {
    patience.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** The time for the answer begins when the hub has the request. */
async function untilTaken(
  progress: { readonly taken: boolean },
  outgoing: ClientRequest,
  answer: Promise<unknown>,
): Promise<void> {
  if (progress.taken) return;
  const taken = new Promise((resolve) => outgoing.once('information', resolve));
  await Promise.race([taken, answer]);
}

async function sendBody(
  body: CloudRequest['body'],
  outgoing: ClientRequest,
  limitBytes: number,
  fail: (error: unknown) => void,
): Promise<void> {
  if (body === undefined) {
    outgoing.end();
    return;
  }
  // Without either, Node frames no body of a GET or DELETE.
  if (body.length === undefined) outgoing.setHeader('Transfer-Encoding', 'chunked');
  else outgoing.setHeader('Content-Length', body.length);
  const { from } = body;
  const limited = from.pipe(bounded(limitBytes)); // not in the pipeline, which would take the client with it
  limited.once('error', fail); // before the pipeline hears of it
  // Any other failure is one of the stream, which tells it.
  await pipeline(limited, outgoing).catch(() => {
    from.unpipe(limited);
    from.resume();
  });
}

function bounded(limitBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > limitBytes) callback(requestEntityTooLarge(limitBytes));
      else callback(null, chunk);
    },
  });
}
