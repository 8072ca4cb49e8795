// Many members of a pool in one process, each a whole edge core with sockets, disk and local API of its own:
// `node fleet-process.js {json of FleetSettings}`.
import { mkdir, readdir, rm } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';
import { parseArgs } from 'node:util';
import {
  AdminClient,
  joinCluster,
  PKI_DIR,
  startEdgeCore,
  type EdgeCore,
  type PoolStatus,
} from '@hawser/edgecore';
import { answerQuestions } from '../cluster-site/ipc-calls.ts';
import { announceReady } from '../processes/in-child.ts';
import type { FleetArrival, FleetSettings, FleetState } from './fleet-types.ts';

/** Edges that are started, or joined, at a time. */
const AT_A_TIME = 8;
const SLICES = '/apis/discovery.k8s.io/v1/endpointslices';

class FleetMember {
  readonly node: string;
  readonly #index: number;
  readonly #dir: string;
  readonly #settings: FleetSettings;
  #core: EdgeCore | undefined;
  #admin: AdminClient | undefined;

  constructor(settings: FleetSettings, index: number) {
    this.#settings = settings;
    this.#index = index;
    this.node = `${settings.prefix}${index}`;
    this.#dir = path.join(settings.dir, String(index));
  }

  async join(): Promise<void> {
    const { hub, token } = this.#settings;
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const folder = path.join(this.#dir, PKI_DIR);
    await joinCluster({ hub, token, node: this.node, folder });
  }

  async start(): Promise<void> {
    const { hub, heartbeatMs, localApi } = this.#settings;
    const socket = path.join(this.#dir, 's');
    this.#core = await startEdgeCore({
      config: {
        hub: { address: `${hub.host}:${hub.port}`, heartbeatMs },
        data: { dir: this.#dir },
        admin: { socket },
        pods: { runtime: 'null' },
        eventBus: { mode: 'off' },
        pool: { listen: `127.0.0.1:${FIRST_POOL_PORT + this.#index}`, advertise: '127.0.0.1' },
        // Any free port: a number of its own for each.
        localApi: { port: localApi ? FIRST_API_PORT + this.#index : 0, address: '' },
      },
    });
    this.#admin = new AdminClient({ socket });
  }

  async stop(): Promise<void> {
    await this.#core?.stop();
    this.#core = undefined;
  }

  /** Removes all that it has but its identity. */
  async forget(): Promise<void> {
    for (const name of await readdir(this.#dir))
      if (name !== PKI_DIR) await rm(path.join(this.#dir, name), { recursive: true });
  }

  async status(): Promise<PoolStatus | undefined> {
    return await this.#admin?.pool().catch(() => undefined); // not yet
  }

  async isConnected(): Promise<boolean> {
    const status = await this.#admin?.status().catch(() => undefined); // not yet
    if (status?.session.state !== 'up') return false;
    return status.outbox.waiting === 0 && status.scopes.every(({ synced }) => synced);
  }

  /** Calls with the resourceVersion of each event of a watch on the local API. */
  async watch(token: string, onEvent: (version: string) => void): Promise<void> {
    const api = await this.#admin?.localApi();
    if (api === undefined) throw new TypeError(`${this.node} has no local API`);
    await new Promise<void>((resolve, reject) => {
      const sent = request(
        {
          ...{ host: '127.0.0.1', port: api.port, ca: api.certificate, agent: false },
          path: `${SLICES}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
          headers: { authorization: `Bearer ${token}` },
        },
        (response) => {
          if (response.statusCode !== 200) {
            reject(new Error(`${this.node}: watch answered ${response.statusCode ?? 0}`));
            return;
          }
          let rest = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => {
            const lines = (rest + text).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) {
              const { type, object } = JSON.parse(line) as WatchLine;
              if (type === 'BOOKMARK') resolve();
              else onEvent(object.metadata?.resourceVersion ?? '');
            }
          });
          response.on('error', () => {}); // the edge has stopped
        },
      );
      sent.on('error', reject);
      sent.end();
    });
  }
}

interface WatchLine {
  readonly type: string;
  readonly object: { readonly metadata?: { readonly resourceVersion?: string } };
}

const FIRST_API_PORT = 21_000;
/** The same after each start, as nodes have it: another one is told to the whole pool. */
const FIRST_POOL_PORT = 22_000;

async function atATime<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

async function stateOf(members: readonly FleetMember[]): Promise<FleetState> {
  const statuses = await Promise.all(members.map((member) => member.status()));
  const connected = await Promise.all(members.map((member) => member.isConnected()));
  const known = statuses.filter((status) => status !== undefined);
  const synced = known.filter(
    ({ state, resources }) =>
      (state === 'LIVE' || state === 'DIRECT') &&
      resources.length > 1 &&
      resources.every((each) => each.synced),
  );
  const count = (state: string): number => known.filter((status) => status.state === state).length;
  return {
    connected: connected.filter(Boolean).length,
    synced: synced.length,
    live: count('LIVE'),
    direct: count('DIRECT'),
    leaders: [...new Set(known.map(({ leader }) => leader))],
    epoch: Math.max(0, ...known.map(({ epoch }) => epoch)),
    versions: [
      ...new Set(
        known.map(
          ({ resources }) => resources.find(({ name }) => name.startsWith('endpointslices.'))?.version ?? '',
        ),
      ),
    ],
  };
}

async function main(settings: FleetSettings): Promise<void> {
  const { count } = settings;
  const members = Array.from({ length: count }, (_, index) => new FleetMember(settings, index));
  await atATime(members, (member) => member.join());
  answerQuestions({
    start: () => atATime(members, (member) => member.start()),
    stop: () => atATime(members, (member) => member.stop()),
    forget: () => atATime(members, (member) => member.forget()),
    state: () => stateOf(members),
    watch: async (token: string) => {
      const seen = new Map<string, number>();
      const onEvent = (version: string): void => {
        const arrived = (seen.get(version) ?? 0) + 1;
        seen.set(version, arrived);
        if (arrived < members.length) return;
        seen.delete(version);
        process.send?.({ version, atMs: performance.timeOrigin + performance.now() } satisfies FleetArrival);
      };
      await atATime(members, (member) => member.watch(token, onEvent));
    },
  });
  announceReady({});
}

const { positionals } = parseArgs({ allowPositionals: true });
await main(JSON.parse(positionals[0] ?? '{}') as FleetSettings);
