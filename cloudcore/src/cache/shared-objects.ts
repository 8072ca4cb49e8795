import { LabelSelector, type ApiClient, type KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { contentOf, type Content, type ContentKey } from '@hawser/sync';
import { SharedRead } from '../cluster/shared-read.ts';
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
  readonly onUnreadable: (key: string, error: unknown) => void;
  /** The scopes that get these objects. */
  readonly scopes: () => Iterable<NodeScope>;
}

/** All objects of one configured resource, kept once, for every node that its selector matches. */
export class SharedObjects implements FeedSink<Content> {
  readonly resource: SharedResource;
  readonly name: string;
  readonly #options: SharedObjectsOptions;
  readonly #selector: LabelSelector;
  readonly #contents = new Map<ContentKey, Content>();
  readonly #listed: SharedRead<ReadonlyMap<ContentKey, string>>;
  #bytes = 0;

  /** @throws StatusError BadRequest for a selector that cannot be read */
  constructor(resource: SharedResource, options: SharedObjectsOptions) {
    this.resource = resource;
    this.name = resourceName(resource);
    this.#options = options;
    this.#selector = LabelSelector.parse(resource.nodeSelector);
    const nowMs = (): number => options.clock.monotonicMs();
    this.#listed = new SharedRead({ read: (signal) => this.#list(signal), nowMs });
  }

  get objects(): number {
    return this.#contents.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a node with these labels gets them; undefined: its labels are not known. */
  matches(labels: Readonly<Record<string, string>> | undefined): boolean {
    return this.#selector.isEverything || (labels !== undefined && this.#selector.matches(labels));
  }

  get(key: ContentKey): Content | undefined {
    return this.#contents.get(key);
  }

  contents(): IterableIterator<Content> {
    return this.#contents.values();
  }

  prepare(object: KubeObject): Content | undefined {
    try {
      return contentOf(this.name, object);
    } catch (error) {
      const { namespace = '', name = '' } = object.metadata;
      this.#options.onUnreadable(`${this.name}/${namespace}/${name}`, error);
      // What was known of it before stays; a list shows it as it was.
      return this.#contents.get(`${this.name}/${namespace}/${name}`);
    }
  }

  put(content: Content): void {
    this.#accept(content, false);
  }

  replace(entries: Iterable<Content>, { wentBack }: CompleteList): void {
    const listed = new Set<ContentKey>();
    for (const content of entries) {
      listed.add(content.key);
      this.#accept(content, wentBack);
    }
    for (const key of [...this.#contents.keys()]) if (!listed.has(key)) this.#set(key, undefined);
  }

  remove(object: KubeObject): void {
    const { namespace = '', name = '' } = object.metadata;
    this.#set(`${this.name}/${namespace}/${name}`, undefined);
  }

  /** Whether the objects are those that the API server has. Errors: those of `ApiClient`. */
  async agrees(_scope: NodeScope, signal: AbortSignal): Promise<boolean> {
    const listed = await this.#listed.get(0);
    signal.throwIfAborted();
    this.#listed.forget();
    for (const [key, version] of listed) {
      const content = this.#contents.get(key);
      if (content === undefined || isOlder(content.version, version)) return false;
    }
    return [...this.#contents.keys()].every((key) => listed.has(key));
  }

  /** Gives up what is under way. */
  close(reason: Error): void {
    this.#listed.close(reason);
  }

  /** Versions by key. */
  async #list(signal: AbortSignal): Promise<ReadonlyMap<ContentKey, string>> {
    const listed = new Map<ContentKey, string>();
    const { client } = this.#options;
    for await (const { metadata } of listObjects(client, this.resource, { metadataOnly: true }, signal)) {
      const { namespace = '', name = '', resourceVersion = '' } = metadata;
      listed.set(`${this.name}/${namespace}/${name}`, resourceVersion);
    }
    return listed;
  }

  #accept(content: Content, forced: boolean): void {
    const known = this.#contents.get(content.key);
    if (!forced && known !== undefined && isOlder(content.version, known.version)) return;
    this.#set(content.key, content);
  }

  #set(key: ContentKey, content: Content | undefined): void {
    const known = this.#contents.get(key);
    this.#bytes += (content?.bytes.length ?? 0) - (known?.bytes.length ?? 0);
    if (content === undefined) this.#contents.delete(key);
    else this.#contents.set(key, content);
    if (known?.hash !== content?.hash) for (const scope of this.#options.scopes()) scope.touched(key);
  }
}
