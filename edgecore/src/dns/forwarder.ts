import { setMaxListeners } from 'node:events';
import type { Clock, Logger } from '@hawser/seams';
import type { AnswerCache } from './answer-cache.ts';
import type { DnsCounts } from './dns-counts.ts';
import { makeQuestion, type Query, type Question } from './query.ts';
import { RCODE, TYPE } from './record-types.ts';
import { HEADER_BYTES } from './record-walk.ts';
import { OUR_UDP_BYTES } from './reply.ts';
import { askTcp, askUdp, type Exchange } from './upstream-exchange.ts';

/** Settings of {@link Forwarder}. */
export interface ForwarderOptions {
  /** Addresses of the servers to ask, the first one first. Read for each question. */
  readonly servers: () => readonly string[];
  readonly port: number;
  readonly cache: AnswerCache;
  readonly counts: DnsCounts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How a question is passed on. */
export type Asked = Pick<Query, 'authenticData' | 'checkingDisabled' | 'edns'>;

/** Questions on their way to other servers at a time, of all clients. */
export const MAX_OUTSTANDING = 512;
/** Servers that are asked. Source: resolv.conf(5), MAXNS. */
const MAX_SERVERS = 3;
/** How long a server has, in the first and in the second round; a client waits for 5 s. */
const ROUNDS_MS = [1000, 1500] as const;
const TCP_MS = 2000;
/** For all of it. */
const DEADLINE_MS = 4500;
/** Where no server answers, how long nobody waits for them; then one question finds out. */
const AWAY_MS = 3000;
/** How long they have to show that they are there. Source: CoreDNS, plugin forward, health checks. */
const PROBE_MS = 1000;
const ROOT = makeQuestion('', TYPE.NS);

/** How it is that nobody answers. */
export interface Away {
  readonly sinceMs: number;
  readonly why: string;
  readonly servers: readonly string[];
}

/**
 * Asks other servers. The same question is asked once for all who wait for it. Where none of the servers answers, the
 * next questions fail at once for a moment, and answers that are over are better than none (RFC 8767).
 */
export class Forwarder {
  readonly #options: ForwarderOptions;
  readonly #outstanding = new Map<string, Promise<Buffer | undefined>>();
  /** Failures of a server since it answered last. */
  readonly #failures = new Map<string, number>();
  readonly #ending = new AbortController();
  #away: (Away & { readonly untilMs: number }) | undefined;
  #probing: Promise<boolean> | undefined;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    // One for each exchange, probes too.
    setMaxListeners(2 * MAX_OUTSTANDING, this.#ending.signal);
  }

  get outstanding(): number {
    return this.#outstanding.size;
  }

  /** undefined: somebody answered last, or nobody was asked. */
  get away(): Away | undefined {
    return this.#away;
  }

  /**
   * The answer to a question, as a message whose id says nothing; undefined: nobody has answered. Never rejects.
   */
  async ask(question: Question, asked: Asked): Promise<Buffer | undefined> {
    const { cache, counts } = this.#options;
    const key = keyOf(question, asked);
    const kept = cache.get(key);
    counts.add('cache', kept === undefined ? 'miss' : 'hit');
    if (kept !== undefined) return kept;
    const answer = await (this.#outstanding.get(key) ?? this.#begin(key, question, asked));
    if (answer !== undefined) return answer;
    const stale = cache.stale(key);
    if (stale !== undefined) counts.add('cache', 'stale');
    return stale;
  }

  /** Ends what is under way. */
  stop(): void {
    this.#ending.abort(new Error('the DNS server stops'));
  }

  #begin(key: string, question: Question, asked: Asked): Promise<Buffer | undefined> {
    const { counts, clock } = this.#options;
    const isAway = this.#away !== undefined && clock.monotonicMs() < this.#away.untilMs;
    const isFull = this.#outstanding.size >= MAX_OUTSTANDING;
    if (isAway || isFull || this.#ending.signal.aborted) {
      counts.add('forwards', isFull ? 'full' : 'away');
      return Promise.resolve(undefined);
    }
    const answer = this.#askUnlessAway(question, asked).finally(() => this.#outstanding.delete(key));
    this.#outstanding.set(key, answer);
    void answer.then((message) => {
      if (message !== undefined) this.#options.cache.put(key, message);
    });
    return answer;
  }

  /** Never rejects. */
  async #askUnlessAway(question: Question, asked: Asked): Promise<Buffer | undefined> {
    if (this.#away !== undefined) {
      // This one waits until it is known whether somebody is there again; the others do not.
      this.#away = { ...this.#away, untilMs: this.#options.clock.monotonicMs() + PROBE_MS + AWAY_MS };
      if (!(await this.#isAnybodyThere())) {
        this.#options.counts.add('forwards', 'away');
        return undefined;
      }
      this.#away = undefined;
    }
    const { answer, why } = await this.#askAll(question, asked);
    // A name that no server finds in time says nothing about the servers: anybody may have made it so.
    if (why !== undefined && !(await this.#isAnybodyThere())) this.#noteAway(why);
    return answer;
  }

  /** Whether a server answers a question that all of them can. Never rejects. */
  async #isAnybodyThere(): Promise<boolean> {
    this.#probing ??= this.#probe().finally(() => (this.#probing = undefined));
    return await this.#probing;
  }

  async #probe(): Promise<boolean> {
    const { clock, port } = this.#options;
    const asked = { authenticData: false, checkingDisabled: false, edns: undefined };
    const probes = this.#inOrder().map((server) =>
      askUdp({
        ...{ server, port, clock, question: ROOT, timeoutMs: PROBE_MS, signal: this.#ending.signal },
        query: (id) => upstreamQuery(id, ROOT, asked),
      }),
    );
    return await Promise.any(probes).then(
      () => true,
      () => this.#ending.signal.aborted,
    );
  }

  /** Never rejects. `why`: none of the servers has answered, and this is what the last one had. */
  async #askAll(question: Question, asked: Asked): Promise<{ answer?: Buffer; why?: string }> {
    const { clock, counts, port } = this.#options;
    const servers = this.#inOrder();
    const deadlineMs = clock.monotonicMs() + DEADLINE_MS;
    let refusal: Buffer | undefined;
    let why = 'no server is known';
    for (const roundMs of ROUNDS_MS) {
      for (const server of servers) {
        const leftMs = deadlineMs - clock.monotonicMs();
        if (leftMs <= 0 || this.#ending.signal.aborted) break;
        const base = { server, port, question, clock, signal: this.#ending.signal };
        try {
          const message = await this.#askOne({
            ...base,
            query: (id) => upstreamQuery(id, question, asked),
            timeoutMs: Math.min(roundMs, leftMs),
          });
          this.#failures.delete(server);
          // Another server may know what this one cannot find out, or does not want to say.
          if (!isRefusal(message)) {
            counts.add('forwards', 'answered');
            return { answer: message };
          }
          refusal = message;
        } catch (error) {
          this.#failures.set(server, (this.#failures.get(server) ?? 0) + 1);
          counts.add('forwards', 'failed');
          why = error instanceof Error ? error.message : String(error);
        }
      }
      if (refusal !== undefined) break;
    }
    if (refusal === undefined) return { why };
    counts.add('forwards', 'refused');
    return { answer: refusal };
  }

  async #askOne(exchange: Exchange): Promise<Buffer> {
    const message = await askUdp(exchange);
    if (message !== undefined) return message;
    this.#options.counts.add('forwards', 'tcp');
    return await askTcp({ ...exchange, timeoutMs: TCP_MS });
  }

  #noteAway(why: string): void {
    const nowMs = this.#options.clock.monotonicMs();
    const servers = this.#inOrder();
    if (this.#away === undefined) this.#options.log.warn({ servers, why }, 'no DNS server answers');
    this.#away = { sinceMs: this.#away?.sinceMs ?? nowMs, why, servers, untilMs: nowMs + AWAY_MS };
  }

  /** Those that answered last before those that did not. */
  #inOrder(): readonly string[] {
    const servers = this.#options.servers().slice(0, MAX_SERVERS);
    for (const server of this.#failures.keys()) if (!servers.includes(server)) this.#failures.delete(server);
    return servers.toSorted((a, b) => (this.#failures.get(a) ?? 0) - (this.#failures.get(b) ?? 0));
  }
}

/** All that answers to the same name may differ in. */
function keyOf(question: Question, { authenticData, checkingDisabled, edns }: Asked): string {
  const flags = [authenticData, checkingDisabled, edns !== undefined, edns?.dnssecOk === true];
  return `${flags.map(Number).join('')} ${question.bytes.toString('latin1').toLowerCase()}`;
}

/**
 * What is asked of a server: with EDNS where the client has it, so that the answer can be given to it as it is. Nothing
 * else that the client said goes on.
 */
function upstreamQuery(id: number, question: Question, asked: Asked): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  const flags = 0x0100 | (asked.authenticData ? 0x0020 : 0) | (asked.checkingDisabled ? 0x0010 : 0);
  header.writeUInt16BE(id, 0);
  header.writeUInt16BE(flags, 2);
  header.writeUInt16BE(1, 4);
  if (asked.edns === undefined) return Buffer.concat([header, question.bytes]);
  header.writeUInt16BE(1, 10);
  const option = Buffer.alloc(11);
  option.writeUInt16BE(TYPE.OPT, 1);
  option.writeUInt16BE(OUR_UDP_BYTES, 3);
  option.writeUInt16BE(asked.edns.dnssecOk ? 0x8000 : 0, 7);
  return Buffer.concat([header, question.bytes, option]);
}

function isRefusal(message: Buffer): boolean {
  const rcode = message.readUInt16BE(2) & 0xf;
  return rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN;
}
