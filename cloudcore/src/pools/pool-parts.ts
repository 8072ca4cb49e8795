import { systemRandom } from '@hawser/seams';
import { ClientAuthority } from '../kubelet-endpoint/client-authority.ts';
import { Pools, type PoolsOptions } from './pools.ts';

/** Settings of {@link PoolParts}. */
export interface PoolPartsOptions extends Omit<PoolsOptions, 'view' | 'clientAuthorities' | 'random'> {
  /** The caches of the hub, which are made after this. */
  readonly view: () => PoolsOptions['view'];
  /** Authorities of client certificates, PEM. Default: what API servers publish. */
  readonly clientCaFile?: string;
}

/** Pools, with what they need of their own. */
export class PoolParts {
  readonly pools: Pools;
  readonly #authority: ClientAuthority;

  constructor(options: PoolPartsOptions) {
    const { view, clientCaFile, client, clock, log, ...rest } = options;
    const shared = { client, clock, log, random: systemRandom };
    this.#authority = new ClientAuthority({
      ...shared,
      ...(clientCaFile !== undefined && { file: clientCaFile }),
      onChange: () => this.pools.clientAuthoritiesChanged(),
    });
    this.pools = new Pools({
      ...{ ...rest, ...shared },
      clientAuthorities: () => this.#authority.certificates,
      view: {
        get highestVersion() {
          return view().highestVersion;
        },
        node: (name) => view().node(name),
        onNode: (listener) => view().onNode(listener),
        ownChanged: (node, key) => view().ownChanged(node, key),
        ownSettled: () => view().ownSettled(),
      },
    });
  }

  /** Before the caches. Idempotent. */
  async start(): Promise<void> {
    this.pools.start();
    await this.#authority.start();
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    await this.pools.stop();
    await this.#authority.stop();
  }
}
