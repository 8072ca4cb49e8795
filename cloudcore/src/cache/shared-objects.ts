import { LabelSelector, type ApiClient, type KubeObject } from '@hawser/kube';
import type { Clock } from '@hawser/seams';
import { contentOf, formatKey, type Content, type ContentKey } from '@hawser/sync';
import { SharedRead } from '../cluster/shared-read.ts';
import type { ContentEvents } from './content-events.ts';
import { KeptContent } from './kept-content.ts';
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
  readonly #contents = new Map<ContentKey, KeptContent>();
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

  prepare(object: KubeObject): KeptContent | undefined {
    const key = this.#keyOf(object);
    const known = this.#contents.get(key);
    try {
      const content = contentOf(this.name, object);
      return known?.hash === content.hash
        ? known.at(content.version)
        : KeptContent.of(content, known?.key ?? key);
    } catch (error) {
      this.#options.events.unreadable(key, error);
      return known; // what was known of it before stays; a list shows it as it was
    }
  }

  put(content: KeptContent): void {
    this.#accept(content, false);
  }

  replace(entries: Iterable<KeptContent>, { wentBack }: CompleteList): void {
    const listed = new Set<ContentKey>();
    for (const content of entries) {
      listed.add(content.key);
      this.#accept(content, wentBack);
    }
    for (const key of [...this.#contents.keys()]) if (!listed.has(key)) this.#set(key, undefined);
  }

  remove(object: KubeObject): void {
    this.#set(this.#keyOf(object), undefined);
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
    for await (const object of listObjects(client, this.resource, { metadataOnly: true }, signal)) {
      listed.set(this.#keyOf(object), object.metadata.resourceVersion ?? '');
    }
    return listed;
  }

  #keyOf({ metadata: { namespace = '', name = '' } }: KubeObject): ContentKey {
    return formatKey(this.name, namespace, name);
  }

  #accept(content: KeptContent, forced: boolean): void {
    const known = this.#contents.get(content.key);
    if (!forced && known !== undefined && isOlder(content.version, known.version)) return;
    this.#set(content.key, content);
  }

  #set(key: ContentKey, content: KeptContent | undefined): void {
    const known = this.#contents.get(key);
    if (known !== undefined && content !== undefined && known.hash !== content.hash)
      this.#options.events.replaced(known);
    this.#bytes += (content?.keptBytes ?? 0) - (known?.keptBytes ?? 0);
    if (content === undefined) this.#contents.delete(key);
    else this.#contents.set(key, content);
    if (known?.hash !== content?.hash) for (const scope of this.#options.scopes()) scope.touched(key);
  }
}
