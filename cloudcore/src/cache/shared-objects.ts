import { LabelSelector, type ApiClient, type KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import type { Content, ContentKey } from '@hawser/sync';
import { SharedRead } from '../cluster/shared-read.ts';
import type { ContentEvents } from './content-events.ts';
import type { KeptContent } from './kept-content.ts';
import { KeptObjects } from './kept-objects.ts';
import { listObjects } from './list-objects.ts';
import type { NodeScope } from './node-scope.ts';
import { resourceName } from './object-key.ts';
import { isOlder } from './record-table.ts';
import type { CompleteList, FeedSink } from './resource-feed.ts';

/** A resource that edge nodes get as it is, without a pod that names it: configured by an operator. */
export interface SharedResource {
  /** `''`: the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural. */
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Label selector of the nodes that get it; `''`: every edge node. */
  readonly nodeSelector: string;
}

/** What {@link SharedObjects} needs. */
export interface SharedObjectsOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly events: ContentEvents;
  /** The scopes that get these objects. */
  readonly scopes: () => Iterable<NodeScope>;
}

/** All objects of one configured resource, kept once, for every node that its selector matches. */
export class SharedObjects implements FeedSink<KeptContent> {
  readonly resource: SharedResource;
  readonly name: string;
  readonly #options: SharedObjectsOptions;
  readonly #selector: LabelSelector;
  readonly #objects: KeptObjects;
  readonly #listed: SharedRead<ReadonlyMap<ContentKey, string>>;

  /** @throws StatusError BadRequest for a selector that cannot be read */
  constructor(resource: SharedResource, options: SharedObjectsOptions) {
    this.resource = resource;
    this.name = resourceName(resource);
    this.#options = options;
    this.#selector = LabelSelector.parse(resource.nodeSelector);
    const { events, scopes } = options;
    this.#objects = new KeptObjects({
      ...{ name: this.name, events },
      onSet: (key, hash, before) => {
        if (hash !== before) for (const scope of scopes()) scope.touched(key);
      },
    });
    const nowMs = (): number => options.clock.monotonicMs();
    this.#listed = new SharedRead({ read: (signal) => this.#list(signal), nowMs });
  }

  get objects(): number {
    return this.#objects.size;
  }

  get bytes(): number {
    return this.#objects.bytes;
  }

  /** Whether a node with these labels gets them; undefined: its labels are not known. */
  matches(labels: Readonly<Record<string, string>> | undefined): boolean {
    return this.#selector.isEverything || (labels !== undefined && this.#selector.matches(labels));
  }

  get(key: ContentKey): Content | undefined {
    return this.#objects.get(key);
  }

  contents(): IterableIterator<Content> {
    return this.#objects.contents();
  }

  prepare(object: KubeObject): KeptContent | undefined {
    return this.#objects.prepare(object);
  }

  put(content: KeptContent): void {
    this.#objects.put(content);
  }

  replace(entries: Iterable<KeptContent>, { wentBack }: CompleteList): void {
    this.#objects.replace(entries, wentBack);
  }

  remove(object: KubeObject): void {
    this.#objects.remove(object);
  }

  /** Whether the objects are those that the API server has. Errors: those of `ApiClient`. */
  async agrees(_scope: NodeScope, signal: AbortSignal): Promise<boolean> {
    const listed = await this.#listed.get(0);
    signal.throwIfAborted();
    this.#listed.forget();
    for (const [key, version] of listed) {
      const content = this.#objects.get(key);
      if (content === undefined || isOlder(content.version, version)) return false;
    }
    return [...this.#objects.contents()].every(({ key }) => listed.has(key));
  }

  /** Gives up what is under way. */
  close(reason: Error): void {
    this.#listed.close(reason);
  }

  /** Versions by key. */
  async #list(signal: AbortSignal): Promise<ReadonlyMap<ContentKey, string>> {
    const listed = new Map<ContentKey, string>();
    const { client } = this.#options;
    for await (const object of listObjects(client, this.resource, { metadataOnly: true }, signal)) {
      listed.set(this.#objects.keyOf(object), object.metadata.resourceVersion ?? '');
    }
    return listed;
  }
}
