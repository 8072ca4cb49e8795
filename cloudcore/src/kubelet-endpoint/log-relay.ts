import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { delay, type Clock } from '@hawser/seams';
import type { StreamDuplex } from '@hawser/proto';
import { isLost } from './edge-stream.ts';
import { LogLines } from './log-lines.ts';
import type { NodeSessions } from './node-sessions.ts';
import { KubeletRefusal } from './refusal.ts';

/** An answer of an edge, and the stream that it comes over. */
export interface LogAnswer {
  readonly response: IncomingMessage;
  readonly stream: StreamDuplex;
}

/** What became of a log whose tunnel was lost. */
export type LogResumeResult = 'resumed' | 'gap' | 'ended';

/** Settings of {@link relayLog}. */
export interface LogRelayOptions {
  readonly node: string;
  /** As the client asked. */
  readonly query: URLSearchParams;
  readonly response: ServerResponse;
  readonly sessions: NodeSessions;
  /** Asks the edge over the node's present session. @throws KubeletRefusal; `signal.reason` */
  readonly ask: (query: URLSearchParams) => Promise<LogAnswer>;
  /** Passes an answer on as it is: the edge has refused. */
  readonly passOn: (answer: LogAnswer) => Promise<void>;
  /** Aborts when the client has left. */
  readonly left: AbortSignal;
  /** Aborts when the client has left, or the hub stops. */
  readonly signal: AbortSignal;
  /** How long a log waits for the node's next session, milliseconds. */
  readonly patienceMs: number;
  readonly onResume: (result: LogResumeResult) => void;
  readonly clock: Clock;
}

/** Between attempts over a session that is there, milliseconds. */
const RETRY_MS = 250;
const OK = 200;

/**
 * Passes a container's log on, and survives the loss of the tunnel: waits for the node's next session, asks again from
 * the last line on, and goes on in its middle if need be (see {@link LogLines}). A log that cannot go on ends in good
 * order, with a line that says why, and from when on to ask again.
 *
 * The edge is always asked for timestamps, and never for `limitBytes`: both are done here.
 * @throws KubeletRefusal; `signal.reason`, as long as nothing has been sent
 */
export async function relayLog(options: LogRelayOptions): Promise<void> {
  const { query, response, ask, passOn } = options;
  const limit = query.get('limitBytes');
  const lines = new LogLines({
    strip: !isTrue(query.get('timestamps')),
    ...(limit !== null && /^\d{1,15}$/.test(limit) && { limitBytes: Number(limit) }),
    onGap: () => options.onResume('gap'),
  });
  const first = await ask(edgeQuery(query, undefined));
  if (first.response.statusCode !== OK) {
    await passOn(first);
    return;
  }
  response.writeHead(OK, { 'content-type': first.response.headers['content-type'] ?? 'text/plain' });
  response.flushHeaders(); // somebody who follows has to see that it has begun
  const relay = new Relay(options, lines);
  await relay.run(first);
}

class Relay {
  readonly #options: LogRelayOptions;
  readonly #lines: LogLines;

  constructor(options: LogRelayOptions, lines: LogLines) {
    this.#options = options;
    this.#lines = lines;
  }

  /** Never rejects: the head has been sent, and what goes wrong is told in the log. */
  async run(first: LogAnswer): Promise<void> {
    const { response, left, onResume } = this.#options;
    try {
      let answer = first;
      while (!(await this.#pump(answer))) {
        answer = await this.#again();
        onResume('resumed');
      }
      response.end();
    } catch (error) {
      if (left.aborted || response.destroyed) return;
      onResume('ended');
      await this.#say(lastLine(error, this.#lines.timestamp));
      response.end();
    }
  }

  /** Passes one answer on. @returns whether it was whole; otherwise its tunnel was lost */
  async #pump({ response: from, stream }: LogAnswer): Promise<boolean> {
    const { signal } = this.#options;
    const giveUp = (): void => void stream.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      for await (const chunk of from as AsyncIterable<Buffer>) {
        await this.#write(this.#lines.feed(chunk));
        if (this.#lines.full) return true;
      }
      await this.#write(this.#lines.end());
      return true;
    } catch (error) {
      signal.throwIfAborted();
      const cause = await stream.stream.closed;
      if (!isLost(cause)) throw cause ?? error;
      return false;
    } finally {
      signal.removeEventListener('abort', giveUp);
      stream.destroy();
    }
  }

  /** Asks again, over the node's next session or, where only its bulk connection was lost, over the same. */
  async #again(): Promise<LogAnswer> {
    const { node, query, sessions, ask, signal, clock, patienceMs } = this.#options;
    this.#lines.resume();
    const again = edgeQuery(query, this.#lines.timestamp);
    const untilMs = clock.monotonicMs() + patienceMs;
    for (;;) {
      const leftMs = untilMs - clock.monotonicMs();
      const session = sessions.get(node);
      if (leftMs <= 0) throw new Gone(node, patienceMs);
      if (session === undefined) {
        await sessions.next(node, leftMs, signal);
        continue;
      }
      const answer = await this.#ask(ask, again);
      if (answer !== undefined) return answer;
      await delay(Math.min(RETRY_MS, leftMs), { clock, signal });
    }
  }

  /** Undefined: not yet; a session that has just begun, or just ended, may fail. */
  async #ask(ask: LogRelayOptions['ask'], query: URLSearchParams): Promise<LogAnswer | undefined> {
    let answer: LogAnswer;
    try {
      answer = await ask(query);
    } catch (error) {
      if (error instanceof KubeletRefusal) return undefined;
      throw error;
    }
    const { statusCode = 0 } = answer.response;
    if (statusCode === OK) return answer;
    answer.stream.destroy();
    if (statusCode >= 500) return undefined;
    throw new Error(`the node answered ${statusCode} when it was asked to go on: the container may be gone`);
  }

  /** A line of the hub's own, apart from those of the container. */
  async #say(text: string): Promise<void> {
    await this.#write(Buffer.from(`${this.#lines.within ? '\n' : ''}hawser: ${text}\n`));
  }

  async #write(bytes: Buffer): Promise<void> {
    const { response, left } = this.#options;
    if (bytes.length === 0 || response.destroyed) return;
    if (!response.write(bytes)) await once(response, 'drain', { signal: left });
  }
}

class Gone extends Error {
  constructor(node: string, patienceMs: number) {
    super(
      `the connection to node ${node} was lost, and it did not come back to this hub within ${patienceMs / 1000} s`,
    );
  }
}

function lastLine(error: unknown, timestamp: string | undefined): string {
  const why = error instanceof Error ? error.message : String(error);
  const how = timestamp === undefined ? 'ask again' : `ask again with --since-time=${timestamp}`;
  return `the log ends here: ${why}; ${how}`;
}

/** What the edge is asked. @param since undefined: as the client asked */
function edgeQuery(query: URLSearchParams, since: string | undefined): URLSearchParams {
  const asked = new URLSearchParams(query);
  asked.set('timestamps', 'true');
  asked.delete('limitBytes');
  if (since !== undefined) {
    for (const name of ['tailLines', 'tail', 'sinceSeconds']) asked.delete(name);
    asked.set('sinceTime', since);
  }
  return asked;
}

function isTrue(value: string | null): boolean {
  return value !== null && !['0', 'false', 'f', 'F', 'FALSE', 'False'].includes(value);
}
