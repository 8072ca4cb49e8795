import type { UpstreamAnswers, UpstreamBodies } from '@hawser/sync';
import { Backoff, systemRandom, type Clock, type Logger, type Random, type Timer } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { JsonState } from '../state/json-state.ts';
import { TOKEN_PREFIX, tokenKey, wantedTokens, type WantedToken } from './wanted-tokens.ts';

/** A token that is kept. */
export interface KeptToken {
  readonly token: string;
  /** Trusted wall time when it was received, milliseconds. */
  readonly receivedMs: number;
  /** Trusted wall time of its end, milliseconds. */
  readonly expiresMs: number;
}

/** What a {@link TokenManager} needs. */
export interface TokenManagerOptions {
  readonly state: JsonState;
  /** Asks the hub. Rejects where there is no session, and where the hub refuses. */
  readonly request: (
    body: UpstreamBodies['token-request'],
    signal: AbortSignal,
  ) => Promise<UpstreamAnswers['token-request']>;
  /** Calls with the UID of a pod that has another token than before. */
  readonly onToken?: (podUid: string) => void;
  /** A pod cannot have its token; for an event. */
  readonly onRefused: (wanted: WantedToken, message: string) => void;
  readonly clock: Clock;
  /** Trusted wall time, milliseconds: that of the machine may be wrong. */
  readonly wallMs: () => number;
  readonly random?: Random;
  readonly log: Logger;
}

/** What is known of asking for one token. */
interface Work {
  readonly backoff: Backoff;
  /** Monotonic, milliseconds. */
  dueMs: number;
  underWay: boolean;
}

/** Source: kubelet, token_manager.go: at 80 % of the lifetime, and after 24 hours at the latest. */
const RENEW_AT = 0.8;
const RENEW_AFTER_MS = 24 * 3600_000;
/** Part of the wait that is random, so that pods which came together do not renew together. */
const JITTER = 0.05;
const RETRY_MS = { base: 1_000, cap: 300_000 } as const;
/** Requests under way at a time. */
const MAX_REQUESTS = 4;

/**
 * Keeps the service account tokens that the pods of the node need, encrypted on disk, renewed in time. Level-triggered:
 * {@link update} compares what is wanted with what is there. What expired while there was no cloud is kept, and
 * renewed before anything else when it is back; {@link get} says whether it has expired.
 */
export class TokenManager {
  readonly #options: TokenManagerOptions;
  readonly #random: Random;
  readonly #kept = new Map<string, KeptToken>();
  readonly #work = new Map<string, Work>();
  readonly #tasks = new Set<Promise<void>>();
  #wanted: ReadonlyMap<string, WantedToken> = new Map();
  #stopping = new AbortController();
  #timer: Timer | undefined;
  #connected = false;
  #requests = 0;

  constructor(options: TokenManagerOptions) {
    this.#options = options;
    this.#random = options.random ?? systemRandom;
  }

  /** Reads what was kept. */
  async start(): Promise<void> {
    this.#stopping = new AbortController();
    for (const [key, value] of await this.#options.state.readAll(TOKEN_PREFIX)) {
      this.#kept.set(key, value as KeptToken);
    }
  }

  /** Gives up what is under way. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the edge is stopping'));
    this.#timer?.cancel();
    await Promise.all(this.#tasks);
  }

  /** The token of a pod for an audience, undefined where there is none yet. */
  get(
    podUid: string,
    wish: { readonly audience?: string; readonly expirationSeconds?: number } = {},
  ): (KeptToken & { readonly expired: boolean }) | undefined {
    const kept = this.#kept.get(tokenKey(podUid, wish.audience, wish.expirationSeconds));
    return kept && { ...kept, expired: kept.expiresMs <= this.#options.wallMs() };
  }

  /** Tokens that are there, missing, and expired, for status and metrics. */
  counts(): { readonly kept: number; readonly missing: number; readonly expired: number } {
    const nowMs = this.#options.wallMs();
    const expired = [...this.#kept.values()].filter(({ expiresMs }) => expiresMs <= nowMs).length;
    const missing = [...this.#wanted.keys()].filter((key) => !this.#kept.has(key)).length;
    return { kept: this.#kept.size, missing, expired };
  }

  /**
   * The pods that the node has now: asks for what is missing, drops what no pod needs any more.
   * @param areAll false: there may be others, which cannot be told now; nothing is dropped
   */
  update(pods: readonly Pod[], areAll = true): void {
    this.#wanted = wantedTokens(pods);
    for (const key of this.#work.keys()) if (!this.#wanted.has(key)) this.#work.delete(key);
    for (const key of areAll ? this.#kept.keys() : []) if (!this.#wanted.has(key)) this.#drop(key);
    this.#schedule();
  }

  /** Whether the hub can be asked. A new session: what failed before is tried at once. */
  setConnected(connected: boolean): void {
    this.#connected = connected;
    for (const [key, { underWay }] of this.#work) if (connected && !underWay) this.#work.delete(key);
    this.#schedule();
  }

  #drop(key: string): void {
    this.#kept.delete(key);
    this.#track(
      this.#options.state.remove(key).catch((error: unknown) => {
        this.#options.log.warn({ err: error, key }, 'a token could not be removed from the store');
      }),
    );
  }

  /** Starts what is due, and sets the timer for what is due next. */
  #schedule(): void {
    this.#timer?.cancel();
    if (!this.#connected || this.#stopping.signal.aborted) return;
    const { clock } = this.#options;
    const nowMs = clock.monotonicMs();
    let nextMs = Infinity;
    for (const wanted of this.#inOrder()) {
      const work = this.#workOf(wanted.key, nowMs);
      if (work.underWay) continue;
      if (work.dueMs > nowMs) nextMs = Math.min(nextMs, work.dueMs);
      else if (this.#requests < MAX_REQUESTS) this.#track(this.#fetch(wanted));
    }
    if (nextMs === Infinity) return;
    this.#timer = clock.setTimer(nextMs - nowMs, () => this.#schedule(), { background: true });
  }

  /** What is missing first, then what ends first. */
  #inOrder(): readonly WantedToken[] {
    const end = ({ key }: WantedToken): number => this.#kept.get(key)?.expiresMs ?? 0;
    return [...this.#wanted.values()].toSorted((a, b) => end(a) - end(b));
  }

  #workOf(key: string, nowMs: number): Work {
    const present = this.#work.get(key);
    if (present !== undefined) return present;
    const kept = this.#kept.get(key);
    const work: Work = {
      backoff: new Backoff({ baseMs: RETRY_MS.base, capMs: RETRY_MS.cap, random: this.#random }),
      dueMs: kept === undefined ? nowMs : nowMs + this.#untilRenewalMs(kept),
      underWay: false,
    };
    this.#work.set(key, work);
    return work;
  }

  #untilRenewalMs({ receivedMs, expiresMs }: KeptToken): number {
    const lifetimeMs = expiresMs - receivedMs;
    const afterMs = Math.min(lifetimeMs * RENEW_AT, RENEW_AFTER_MS) * (1 - JITTER * this.#random.next());
    return receivedMs + afterMs - this.#options.wallMs();
  }

  /** Never rejects. */
  async #fetch(wanted: WantedToken): Promise<void> {
    const { key, ...ask } = wanted;
    const work = this.#workOf(key, this.#options.clock.monotonicMs());
    work.underWay = true;
    this.#requests += 1;
    try {
      const answer = await this.#options.request(ask, this.#stopping.signal);
      await this.#keep(wanted, answer);
      this.#work.delete(key);
    } catch (error) {
      this.#failed(wanted, work, error);
    }
    work.underWay = false;
    this.#requests -= 1;
    this.#schedule();
  }

  async #keep(wanted: WantedToken, answer: UpstreamAnswers['token-request']): Promise<void> {
    const { state, wallMs, onToken } = this.#options;
    const expiresMs = Date.parse(answer.expirationTimestamp);
    if (answer.token === '' || Number.isNaN(expiresMs)) throw new Error('the hub answered with no token');
    const kept: KeptToken = { token: answer.token, receivedMs: wallMs(), expiresMs };
    if (!this.#wanted.has(wanted.key)) return; // the pod went meanwhile
    await state.write(wanted.key, kept, { secret: true });
    this.#kept.set(wanted.key, kept);
    if (!this.#wanted.has(wanted.key)) this.#drop(wanted.key);
    else onToken?.(wanted.podUid);
  }

  #failed(wanted: WantedToken, work: Work, error: unknown): void {
    const waitMs = work.backoff.nextMs();
    work.dueMs = this.#options.clock.monotonicMs() + waitMs;
    if (this.#stopping.signal.aborted || !this.#connected) return;
    const message = error instanceof Error ? error.message : String(error);
    const about = `${wanted.namespace}/${wanted.podName}`;
    this.#options.log.warn({ pod: about, code: (error as { code?: unknown }).code }, `no token: ${message}`);
    this.#options.onRefused(wanted, message);
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    void task.finally(() => this.#tasks.delete(task));
  }
}
