import path from 'node:path';
import type { Logger } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { AdminClient } from '../src/admin/admin-client.ts';
import type { EdgeConfigInput } from '../src/config/options.ts';
import { PKI_DIR, startEdgeCore, type EdgeCore } from '../src/edge-core.ts';
import { StubHub, type StubHubOptions } from './stub-hub.ts';

/** Settings of {@link EdgeSite.open}. */
export interface EdgeSiteOptions {
  readonly hub?: StubHubOptions;
  readonly log?: Logger;
}

/** An edge core of the node `edge-1`, its folder, and a stub of a hub, for one test. */
export class EdgeSite {
  readonly hub: StubHub;
  readonly dir: string;
  readonly admin: AdminClient;
  readonly #temp: TempDir;
  readonly #log: Logger | undefined;
  #core: EdgeCore | undefined;

  private constructor(temp: TempDir, hub: StubHub, log: Logger | undefined) {
    this.#temp = temp;
    this.#log = log;
    this.hub = hub;
    this.dir = temp.path;
    this.admin = new AdminClient({ socket: this.socket });
  }

  static async open(options: EdgeSiteOptions = {}): Promise<EdgeSite> {
    const temp = await makeTempDir();
    const hub = await StubHub.open(options.hub);
    const site = new EdgeSite(temp, hub, options.log);
    await hub.join(site.pkiDir);
    return site;
  }

  get dataDir(): string {
    return path.join(this.dir, 'data');
  }

  get pkiDir(): string {
    return path.join(this.dataDir, PKI_DIR);
  }

  get socket(): string {
    return path.join(this.dir, 'run', 'edgecore.sock');
  }

  /** The edge core. Fails where there is none. */
  get core(): EdgeCore {
    if (this.#core === undefined) throw new Error('the edge core was not started');
    return this.#core;
  }

  /** Its configuration, with what a test wants of it. */
  config(more: EdgeConfigInput = {}): EdgeConfigInput {
    return {
      data: { dir: this.dataDir },
      admin: { socket: this.socket },
      ...more,
      pods: { runtime: 'null', ...more.pods },
      // Its address would be one of this machine.
      localApi: { port: 0, ...more.localApi },
      hub: { address: this.hub.address, heartbeatMs: 2_000, ...more.hub },
    };
  }

  async start(more: EdgeConfigInput = {}): Promise<EdgeCore> {
    const log = this.#log === undefined ? {} : { log: this.#log };
    this.#core = await startEdgeCore({ config: this.config(more), ...log });
    return this.#core;
  }

  /** Starts it, and waits until everything of the hub is there. */
  async connect(more: EdgeConfigInput = {}): Promise<EdgeCore> {
    const core = await this.start(more);
    await this.synced();
    return core;
  }

  /** Waits until the edge is in sync with the hub. */
  async synced(): Promise<void> {
    await eventually('the edge in sync', () => this.core.status().scopes.every(({ synced }) => synced));
  }

  async stop(): Promise<void> {
    await this.#core?.stop();
    this.#core = undefined;
  }

  /** Stops everything, and removes the folder. */
  async close(): Promise<void> {
    try {
      await this.stop();
    } finally {
      await this.hub.close();
      await this.#temp.remove();
    }
  }
}
