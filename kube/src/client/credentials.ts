import { readFile } from 'node:fs/promises';
import type { Agent } from 'node:http';
import { systemClock, type Clock } from '@hawser/seams';

/** What a TLS connection to the API server needs. All PEM. */
export interface TlsMaterial {
  /** Authorities that the server's certificate may come from. Default: those of Node.js. */
  readonly ca?: string | Buffer;
  /** The client's certificate with its chain, and its private key. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the server's certificate must carry, where it is not the URL's host. */
  readonly servername?: string;
  /** `false` accepts any server. For experiments only. */
  readonly rejectUnauthorized?: boolean;
}

/** What goes with one request. */
export interface Credentials {
  /** `authorization`, `impersonate-user`, … in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: TlsMaterial;
  /** Makes the agent that connects, where that is not this module's business (a proxy). */
  readonly agent?: () => Agent;
}

/**
 * Where credentials come from. The same `tls` object means the same connections: an implementation returns a new
 * one only when something in it changed.
 */
export interface CredentialSource {
  /** The credentials as of now. Called before each request; an implementation caches. */
  get(): Promise<Credentials>;
  /** The server answered 401: what is cached must not be believed any more. */
  invalidate(): void;
}

/** Credentials that never change. `token`: a bearer token. */
export function staticCredentials(options: { token?: string; tls?: TlsMaterial } = {}): CredentialSource {
  const { token, tls = {} } = options;
  const credentials: Credentials = { headers: bearer(token), tls };
  return { get: () => Promise.resolve(credentials), invalidate: () => {} };
}

/** Settings of {@link FileCredentials}: paths of PEM files and of a token. */
export interface FileCredentialsOptions {
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly tokenFile?: string;
  readonly servername?: string;
  /** How old may what was read be, in milliseconds. Default 60000, as client-go has it for tokens. */
  readonly refreshMs?: number;
  readonly clock?: Clock;
}

/**
 * Credentials in files that others rotate (projected service account tokens, node certificates): read again when
 * they are older than `refreshMs` or were refused. If a file cannot be read later on, the last good ones stay.
 * Errors: `get` rejects with the file system's error while nothing was ever read.
 */
export class FileCredentials implements CredentialSource {
  readonly #options: FileCredentialsOptions;
  readonly #clock: Clock;
  readonly #refreshMs: number;
  #current: Credentials | undefined;
  #readAtMs = 0;
  #reading: Promise<Credentials> | undefined;

  constructor(options: FileCredentialsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#refreshMs = options.refreshMs ?? 60_000;
  }

  get(): Promise<Credentials> {
    if (this.#current !== undefined && this.#clock.monotonicMs() - this.#readAtMs < this.#refreshMs) {
      return Promise.resolve(this.#current);
    }
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  invalidate(): void {
    this.#readAtMs = -Infinity;
  }

  async #read(): Promise<Credentials> {
    const { caFile, certFile, keyFile, tokenFile, servername } = this.#options;
    try {
      const [ca, cert, key, token] = await Promise.all(
        [caFile, certFile, keyFile, tokenFile].map(readOptional),
      );
      const tls = this.#sameAsBefore({
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(servername !== undefined && { servername }),
      });
      this.#current = { headers: bearer(token?.trim()), tls };
    } catch (error) {
      // A rotation half done, or a disk in trouble: the old ones may well still be good, and the next get tries again.
      if (this.#current === undefined) throw error;
    }
    this.#readAtMs = this.#clock.monotonicMs();
    return this.#current;
  }

  #sameAsBefore(tls: TlsMaterial): TlsMaterial {
    const before = this.#current?.tls;
    const same = before?.ca === tls.ca && before?.cert === tls.cert && before?.key === tls.key;
    return before !== undefined && same ? before : tls;
  }
}

function readOptional(file: string | undefined): Promise<string | undefined> {
  return file === undefined ? Promise.resolve(undefined) : readFile(file, 'utf8');
}

function bearer(token: string | undefined): Record<string, string> {
  return token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` };
}
