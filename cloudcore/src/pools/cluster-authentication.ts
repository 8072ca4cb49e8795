import { isPlainObject, type ApiClient } from '@hawser/kube';
import type { Clock, Logger, Timer } from '@hawser/seams';
import {
  AUTHENTICATION_NAME,
  POOL_API_VERSION,
  type ClusterAuthentication as AuthenticationSpec,
} from '@hawser/sync';
import { records, text } from '../cache/json-reader.ts';
import { CloudCoreError } from '../errors.ts';

/** Settings of {@link ClusterAuthentication}. */
export interface ClusterAuthenticationOptions {
  readonly client: ApiClient;
  /** PEM of the authorities of client certificates, one each: `ClientAuthority.certificates`. */
  readonly clientAuthorities: () => readonly string[];
  /** It is known, or another one. */
  readonly onChange: (object: AuthenticationObject) => void;
  /** It could not be read; it is tried again. */
  readonly onFailed: () => void;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default 300000. */
  readonly intervalMs?: number;
}

/** `ClusterAuthentication`, as it travels. */
export interface AuthenticationObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: AuthenticationSpec;
}

const INTERVAL_MS = 300_000;
const RETRY_FROM_MS = 1_000;
const RETRY_MAX_MS = 60_000;
const DISCOVERY = '/.well-known/openid-configuration';
const JWKS = '/openid/v1/jwks';
/** Largest set of keys that is taken. */
const MAX_KEYS = 64;

/**
 * What tokens and client certificates of the cluster are checked against: issuer and keys as the API server publishes them
 * (KEP-1393), and the authorities of client certificates. Read at the start and every few minutes; what was known last
 * stays while it cannot be read.
 */
export class ClusterAuthentication {
  readonly #options: ClusterAuthenticationOptions;
  readonly #stopping = new AbortController();
  #known: Pick<AuthenticationSpec, 'issuer' | 'jwks'> | undefined;
  #reading: Promise<boolean> | undefined;
  #timer: Timer | undefined;
  #failures = 0;

  constructor(options: ClusterAuthenticationOptions) {
    this.#options = options;
  }

  /** Whether it is known. */
  get isKnown(): boolean {
    return this.#known !== undefined;
  }

  /** Whether it is known, or that it cannot be read for now. */
  get decided(): boolean {
    return this.isKnown || this.#failures > 0;
  }

  /** Begins to read. Idempotent. */
  start(): void {
    void this.refresh().catch(() => {}); // it is in the log, and comes again
  }

  /** The authorities of clients are others, or known now. */
  tell(): void {
    const { clientAuthorities, onChange } = this.#options;
    if (this.#known === undefined) return;
    const { issuer, jwks } = this.#known;
    onChange({
      apiVersion: POOL_API_VERSION,
      kind: 'ClusterAuthentication',
      metadata: { name: AUTHENTICATION_NAME },
      spec: { issuer, audiences: [issuer], jwks, clientCa: clientAuthorities().join('') },
    });
  }

  /** Reads it now. Resolves with true. Errors: those of `ApiClient`; `ERR_CLOUDCORE_CLUSTER` for what is no answer. */
  refresh(): Promise<boolean> {
    this.#reading ??= this.#refresh().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort(new CloudCoreError('ERR_CLOUDCORE_CLOSED', 'the hub is stopping'));
    this.#timer?.cancel();
    await this.#reading?.catch(() => {}); // whoever asked has heard of it
  }

  async #refresh(): Promise<boolean> {
    const { log, onFailed } = this.#options;
    const { signal } = this.#stopping;
    signal.throwIfAborted();
    this.#timer?.cancel();
    try {
      this.#known = await this.#read(signal);
      this.#failures = 0;
      this.tell();
      return true;
    } catch (err) {
      signal.throwIfAborted();
      this.#failures += 1;
      const level = this.#failures === 1 ? 'warn' : 'debug';
      log[level]({ err, known: this.isKnown }, 'issuer and keys of the cluster cannot be read; trying again');
      onFailed();
      throw err;
    } finally {
      this.#arm();
    }
  }

  #arm(): void {
    const { clock, intervalMs = INTERVAL_MS } = this.#options;
    if (this.#stopping.signal.aborted) return;
    const retryMs = Math.min(RETRY_MAX_MS, RETRY_FROM_MS * 2 ** Math.min(this.#failures, 10));
    const waitMs = this.#failures === 0 ? intervalMs : Math.min(retryMs, intervalMs);
    this.#timer = clock.setTimer(waitMs, () => this.start(), { background: true });
  }

  async #read(signal: AbortSignal): Promise<Pick<AuthenticationSpec, 'issuer' | 'jwks'>> {
    const { client } = this.#options;
    const call = { method: 'GET', retries: 0, signal } as const;
    const [discovery, jwks] = await Promise.all([
      client.request({ ...call, path: DISCOVERY }),
      client.request({ ...call, path: JWKS }),
    ]);
    const issuer = isPlainObject(discovery) ? text(discovery['issuer']) : '';
    const keys = records(isPlainObject(jwks) ? jwks['keys'] : undefined).slice(0, MAX_KEYS);
    if (issuer !== '' && keys.length > 0) return { issuer, jwks: { keys } };
    throw new CloudCoreError('ERR_CLOUDCORE_CLUSTER', 'the API server publishes no issuer, or no keys');
  }
}
