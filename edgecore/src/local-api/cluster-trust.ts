import { X509Certificate } from 'node:crypto';
import { delay, type Clock, type Logger } from '@hawser/seams';
import {
  AUTHENTICATION_NAME,
  poolObjectKey,
  POOL_RESOURCES,
  type ClusterAuthentication,
  type Content,
} from '@hawser/sync';
import { createLocalJWKSet, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import type { PoolReader } from '../pool/pool-types.ts';

/** What callers are known by, as it was last received. */
export interface Trust {
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Finds the key of a token. */
  readonly keys: LocalJWKSet;
  /** Authorities of client certificates. */
  readonly authorities: readonly X509Certificate[];
}

/** What a {@link ClusterTrust} needs. */
export interface ClusterTrustOptions {
  readonly pool: Pick<PoolReader, 'view'>;
  /** Whether the cloud can be reached, so that it is worth to wait. */
  readonly isCloudNear: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

const KEY = poolObjectKey(POOL_RESOURCES.authentication, AUTHENTICATION_NAME);
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
/** How long a caller waits at the very beginning, until the cluster's keys have come. */
const WAIT_MS = 5_000;
const LOOK_MS = 100;

/** Keys and authorities of the cluster, out of the pool's replica. Read with each use: new keys hold at once. */
export class ClusterTrust {
  readonly #options: ClusterTrustOptions;
  #known: { readonly hash: string; readonly trust: Trust | undefined } | undefined;

  constructor(options: ClusterTrustOptions) {
    this.#options = options;
  }

  /** undefined: nothing was received yet, or nothing that can be read. */
  get present(): Trust | undefined {
    const content = this.#options.pool.view(POOL_RESOURCES.authentication)?.get(KEY);
    if (content === undefined) return undefined;
    if (this.#known?.hash !== content.hash) this.#known = { hash: content.hash, trust: this.#read(content) };
    return this.#known.trust;
  }

  /** The same; where nothing is there, and the cloud is near, it is waited for a few seconds. */
  async soon(): Promise<Trust | undefined> {
    const { clock, isCloudNear } = this.#options;
    const deadlineMs = clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const trust = this.present;
      if (trust !== undefined || !isCloudNear() || clock.monotonicMs() >= deadlineMs) return trust;
      await delay(LOOK_MS, { clock });
    }
  }

  #read({ bytes }: Content): Trust | undefined {
    try {
      const { spec } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { spec: ClusterAuthentication };
      const { issuer, audiences, jwks, clientCa } = spec;
      return {
        issuer,
        audiences,
        keys: createLocalJWKSet(jwks as unknown as JSONWebKeySet), // checked there
        authorities: (clientCa.match(PEM) ?? []).map((pem) => new X509Certificate(pem)),
      };
    } catch (error) {
      this.#options.log.error(
        { err: error },
        'the keys of the cluster cannot be read: nobody is known by them',
      );
      return undefined;
    }
  }
}
