import type { Clock, Logger } from '@hawser/seams';
import { formatKey, type ContentKey, type ReplicaStore } from '@hawser/sync';
import type { NodeBody } from '../node/node-body.ts';
import type { ChangeHistoryLimits } from './change-history.ts';
import { MadeEntry, type MadeObject } from './made-entry.ts';
import { ResourceState } from './resource-state.ts';

/** What the node reports of itself: `NodeReporter`. */
export interface NodeStatusSource {
  readonly body: NodeBody | undefined;
  listen(listener: () => void): () => void;
}

/** What {@link NodeItself} needs. */
export interface NodeItselfOptions {
  readonly node: string;
  readonly replica: ReplicaStore;
  /** `node/<name>`. */
  readonly scope: string;
  readonly reporter: NodeStatusSource;
  /** The version to begin with. */
  readonly version: number;
  readonly clock: Clock;
  readonly log: Logger;
}

const RESOURCE = { group: '', resource: 'nodes' } as const;
const HISTORY: ChangeHistoryLimits = { events: 100, bytes: 512 * 1024 };

/** The Node of this machine as readers see it: what the cloud has of it, with the status that it reports. */
export class NodeItself {
  readonly state: ResourceState;
  readonly #options: NodeItselfOptions;
  readonly #key: ContentKey;
  readonly #undo: readonly (() => void)[];
  #object: MadeObject | undefined;
  #loaded: Promise<void>;

  constructor(options: NodeItselfOptions) {
    const { node, replica, scope, reporter, version, clock } = options;
    this.#options = options;
    this.#key = formatKey('nodes', '', node);
    this.state = new ResourceState({
      ...{ version, clock, limits: HISTORY },
      resource: RESOURCE,
      entries: [],
      floor: version,
    });
    this.#undo = [
      reporter.listen(() => this.#show()),
      replica.listen((changed, keys) => {
        if (changed === scope && keys.includes(this.#key)) this.#loaded = this.#read();
      }),
    ];
    this.#loaded = this.#read();
  }

  /** Resolves once the object has been read. Never rejects. */
  get loaded(): Promise<void> {
    return this.#loaded;
  }

  close(): void {
    for (const undo of this.#undo) undo();
    this.state.close();
  }

  /** Never rejects. */
  async #read(): Promise<void> {
    const { replica, scope, log } = this.#options;
    try {
      const bytes = await replica.read(scope, this.#key);
      this.#object =
        bytes === undefined ? undefined : (JSON.parse(Buffer.from(bytes).toString('utf8')) as MadeObject); // as the hub made it
      this.#show();
    } catch (error) {
      log.warn({ err: error }, 'the Node cannot be read; what was shown of it stays');
    }
  }

  #show(): void {
    const { node, reporter } = this.#options;
    const object = this.#object;
    const status = reporter.body?.status;
    const parts = object === undefined ? undefined : { ...object, ...(status !== undefined && { status }) };
    const at = { namespace: '', name: node };
    const now = parts === undefined ? undefined : new MadeEntry({ ...RESOURCE, ...at }, 0, parts);
    this.state.touch([{ ...at, now }], 'event');
  }
}
