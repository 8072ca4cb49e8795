import { RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import type { ContentKey } from '@hawser/sync';
import type { ContentEvents } from './content-events.ts';
import type { PodFacts } from './cluster-view.ts';
import { record as fieldsOf, text } from './json-reader.ts';
import { listObjects } from './list-objects.ts';
import type { NodeScope } from './node-scope.ts';
import { hold, ObjectRecord, release, setReferences, type RecordOwner } from './object-record.ts';
import { isTerminated, podReferences } from './pod-references.ts';
import { RecentPods } from './recent-pods.ts';
import { isOlder, RecordTable, type PreparedObject } from './record-table.ts';
import type { CompleteList, FeedSink } from './resource-feed.ts';

/** What {@link BoundPods} needs. */
export interface BoundPodsOptions {
  readonly client: ApiClient;
  readonly events: ContentEvents;
  /** The scope of a node, if there is one. */
  readonly scope: (node: string) => NodeScope | undefined;
  /** Finds the record of a key that a pod names, or makes one. */
  readonly resolve: (key: ContentKey) => ObjectRecord | undefined;
  /** Has {@link BoundPods.fetch} called for the node, soon; again after a failure. */
  readonly enqueue: (node: string) => void;
  /** A pod of an edge node is new, has changed, or is gone. */
  readonly onPod: (namespace: string, name: string) => void;
  /** The last pod that was kept of a node is gone. */
  readonly onEmpty: (scope: NodeScope) => void;
}

interface PreparedPod extends PreparedObject {
  readonly namespace: string;
  readonly name: string;
  readonly facts: PodFacts;
  readonly references: readonly ContentKey[];
}

class PodRecord extends ObjectRecord {
  readonly namespace: string;
  readonly name: string;
  readonly node: NodeScope;
  facts: PodFacts;

  constructor(entry: PreparedPod, owner: RecordOwner, node: NodeScope) {
    super(entry.key, owner, 0);
    this.namespace = entry.namespace;
    this.name = entry.name;
    this.node = node;
    this.facts = entry.facts;
  }
}

/** Finding out which pods a node has that became an edge node after the watch had begun. */
interface Adoption {
  /** Number of the list that had begun when the node became one. */
  readonly atList: number;
  /** Whether the node waits for an answer. */
  pending: boolean;
  /** Pods that a list lacked which may have passed them too early; gone unless the answer has them. */
  readonly suspects: Set<ContentKey>;
  /** Deletions that the watch has brought while the answer was on its way, with their versions. */
  readonly deleted: Map<ContentKey, string>;
  /** The answer that is on its way will not do: the server went back, or a list was completed. */
  stale: boolean;
}

/**
 * The pods that are bound to edge nodes, each with what it names. Pods of other nodes leave no trace; when one of
 * those becomes an edge node, its pods are asked for. A pod that has ended names nothing any more, and stays itself
 * until it is deleted.
 */
export class BoundPods implements FeedSink<PreparedPod>, RecordOwner {
  readonly table: RecordTable<PodRecord>;
  readonly recent = new RecentPods();
  readonly #options: BoundPodsOptions;
  readonly #adoptions = new Map<NodeScope, Adoption>();
  readonly #podsOf = new Map<NodeScope, number>();
  #listsBegun: () => number = () => 0;
  /** Number of the last list that was complete. */
  #completed = 0;

  constructor(options: BoundPodsOptions) {
    this.#options = options;
    this.table = new RecordTable('pods', options.events);
  }

  /** Tells how many lists have begun. Called once, before anything else. */
  attach(feed: { readonly listsBegun: number }): void {
    this.#listsBegun = () => feed.listsBegun;
  }

  /** Pods that are kept of the node. */
  count(scope: NodeScope): number {
    return this.#podsOf.get(scope) ?? 0;
  }

  facts(key: ContentKey): PodFacts | undefined {
    return this.table.get(key)?.facts;
  }

  /** See `ClusterView.podAs`. */
  runningAs(
    node: string,
    namespace: string,
    serviceAccountName: string,
  ): { readonly name: string; readonly uid: string } | undefined {
    let found: PodRecord | undefined;
    for (const held of this.#options.scope(node)?.holds.keys() ?? []) {
      if (!(held instanceof PodRecord) || held.namespace !== namespace) continue;
      if (held.facts.serviceAccountName !== serviceAccountName) continue;
      found = held;
      if (!held.facts.deleting) break;
    }
    return found && { name: found.name, uid: found.facts.uid };
  }

  /** Namespace and name of every pod that is kept. */
  *names(): Generator<readonly [namespace: string, name: string]> {
    for (const { namespace, name } of this.table.values()) yield [namespace, name];
  }

  wanted(): void {}

  unwanted(): void {}

  /** The node has become an edge node. */
  enter(scope: NodeScope): void {
    const adoption: Adoption = {
      atList: this.#listsBegun(),
      pending: false,
      suspects: new Set(),
      deleted: new Map(),
      stale: false,
    };
    this.#adoptions.set(scope, adoption);
    // Before the first list there is nothing to ask: it will tell.
    if (adoption.atList > 0) this.#ask(scope, adoption);
  }

  /** The node is an edge node no longer. */
  leave(scope: NodeScope): void {
    const adoption = this.#adoptions.get(scope);
    this.#adoptions.delete(scope);
    if (adoption !== undefined) this.#answered(scope, adoption);
    for (const held of [...scope.holds.keys()]) if (held instanceof PodRecord) this.#drop(held);
  }

  prepare(pod: KubeObject): PreparedPod | undefined {
    const { nodeName, serviceAccountName } = fieldsOf(pod['spec']);
    const node = text(nodeName);
    if (node === '' || this.#options.scope(node)?.edge !== true) return undefined;
    const { namespace = '', name = '', uid = '', deletionTimestamp } = pod.metadata;
    const deleting = deletionTimestamp !== undefined;
    const { key, version, content } = this.table.prepare(this.table.keyOf(pod), pod);
    this.recent.note(key, pod);
    return {
      key,
      version,
      content,
      namespace,
      name,
      facts: { uid, nodeName: node, deleting, serviceAccountName: text(serviceAccountName) },
      references: isTerminated(pod) ? [] : podReferences(pod),
    };
  }

  put(entry: PreparedPod): void {
    this.#accept(entry, false);
  }

  replace(entries: Iterable<PreparedPod>, list: CompleteList): void {
    this.#completed = list.number;
    if (list.wentBack) for (const adoption of this.#adoptions.values()) adoption.stale = true;
    const listed = new Set<ContentKey>();
    for (const entry of entries) {
      listed.add(entry.key);
      this.#accept(entry, list.wentBack);
    }
    for (const pod of [...this.table.values()]) if (!listed.has(pod.key)) this.#notListed(pod, list);
    for (const [scope, adoption] of [...this.#adoptions]) this.#listComplete(scope, adoption, list);
  }

  remove(object: KubeObject): void {
    const key = this.table.keyOf(object);
    this.recent.forget(key);
    const version = object.metadata.resourceVersion ?? '';
    const scope = this.#options.scope(text(fieldsOf(object['spec'])['nodeName']));
    const adoption = scope && this.#adoptions.get(scope);
    if (adoption?.pending === true) adoption.deleted.set(key, version);
    const pod = this.table.get(key);
    if (pod !== undefined && !isOlder(version, pod.version)) this.#drop(pod);
  }

  /** Asks the API server which pods the node has. Errors: those of `ApiClient`. */
  async fetch(node: string, signal: AbortSignal): Promise<void> {
    const scope = this.#options.scope(node);
    if (scope === undefined) return;
    const adoption = this.#adoptions.get(scope);
    if (adoption?.pending !== true) return;
    adoption.deleted.clear();
    adoption.stale = false;
    const pods = await this.#list(node, signal);
    // A list may have told meanwhile, or the node be no edge node any more.
    if (this.#adoptions.get(scope) !== adoption) return;
    if (this.#isStale(adoption)) {
      this.#options.enqueue(node);
      return;
    }
    for (const pod of pods) this.#acceptFetched(pod, adoption);
    for (const key of adoption.suspects) {
      const pod = this.table.get(key);
      if (pod !== undefined) this.#drop(pod);
    }
    this.#answered(scope, adoption);
    // Unless a list is under way, which will lack them.
    if (adoption.atList <= this.#completed) this.#adoptions.delete(scope);
  }

  /** Whether the pods that are kept of the node are those that the API server has. Errors: those of `ApiClient`. */
  async agrees(scope: NodeScope, signal: AbortSignal): Promise<boolean> {
    if (!scope.edge) return true; // none are kept, whatever it has
    const listed = new Set<ContentKey>();
    for (const object of await this.#list(scope.name, signal)) {
      const key = this.table.keyOf(object);
      const pod = this.table.get(key);
      if (pod?.node !== scope || isOlder(pod.version, object.metadata.resourceVersion ?? '')) return false;
      listed.add(key);
    }
    for (const held of scope.holds.keys())
      if (held instanceof PodRecord && !listed.has(held.key)) return false;
    return true;
  }

  /** The pods of a node as the API server has them now. */
  async #list(node: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
    const pods: KubeObject[] = [];
    const fieldSelector = `spec.nodeName=${node}`;
    for await (const pod of listObjects(this.#options.client, RESOURCES.pods, { fieldSelector }, signal)) {
      pods.push(pod);
    }
    return pods;
  }

  #isStale({ stale }: Adoption): boolean {
    return stale;
  }

  #ask(scope: NodeScope, adoption: Adoption): void {
    if (!adoption.pending) {
      adoption.pending = true;
      scope.unanswered += 1;
      scope.settling();
    }
    this.#options.enqueue(scope.name);
  }

  #answered(scope: NodeScope, adoption: Adoption): void {
    adoption.suspects.clear();
    adoption.deleted.clear();
    if (!adoption.pending) return;
    adoption.pending = false;
    scope.unanswered -= 1;
    scope.settling();
  }

  #acceptFetched(object: KubeObject, adoption: Adoption): void {
    const entry = this.prepare(object);
    if (entry === undefined) return;
    const deletedAt = adoption.deleted.get(entry.key);
    if (deletedAt !== undefined && !isOlder(deletedAt, entry.version)) return;
    adoption.suspects.delete(entry.key);
    this.#accept(entry, false);
  }

  #accept(entry: PreparedPod, forced: boolean): void {
    const scope = this.#options.scope(entry.facts.nodeName);
    if (scope?.edge !== true) return;
    this.#adoptions.get(scope)?.suspects.delete(entry.key);
    const known = this.table.get(entry.key);
    if (known !== undefined && known.node !== scope) {
      // Made again under its name, on another node.
      if (!forced && isOlder(entry.version, known.version)) return;
      this.#drop(known);
    }
    const pod = this.table.get(entry.key) ?? this.#add(entry, scope);
    const before = pod.known ? { facts: pod.facts, hash: pod.content?.hash } : undefined;
    if (!this.table.accept(pod, entry, forced)) return;
    pod.facts = entry.facts;
    if (before === undefined) hold(scope, pod);
    setReferences(
      pod,
      entry.references.map((key) => this.#options.resolve(key)).filter((found) => found !== undefined),
    );
    if (before === undefined || before.hash !== pod.content?.hash || !sameFacts(before.facts, entry.facts)) {
      this.#options.onPod(pod.namespace, pod.name);
    }
  }

  #add(entry: PreparedPod, scope: NodeScope): PodRecord {
    this.#podsOf.set(scope, this.count(scope) + 1);
    return this.table.add(new PodRecord(entry, this, scope));
  }

  #drop(pod: PodRecord): void {
    this.table.delete(pod);
    const rest = this.count(pod.node) - 1;
    if (rest === 0) this.#podsOf.delete(pod.node);
    else this.#podsOf.set(pod.node, rest);
    release(pod.node, pod);
    this.#options.onPod(pod.namespace, pod.name);
    if (rest === 0) this.#options.onEmpty(pod.node);
  }

  #notListed(pod: PodRecord, { version, number, wentBack }: CompleteList): void {
    const adoption = this.#adoptions.get(pod.node);
    if (adoption !== undefined && adoption.atList >= number) adoption.suspects.add(pod.key);
    else if (wentBack || !isOlder(version, pod.version)) this.#drop(pod);
  }

  #listComplete(scope: NodeScope, adoption: Adoption, { number }: CompleteList): void {
    if (adoption.atList >= number) {
      // The list may have passed pods of the node before it was an edge node; and it swallowed deletions, so that an
      // answer that is on its way does not do.
      adoption.stale = true;
      this.#ask(scope, adoption);
      return;
    }
    // The list had all of its pods: what was asked before is answered.
    this.#answered(scope, adoption);
    this.#adoptions.delete(scope);
  }
}

function sameFacts(left: PodFacts, right: PodFacts): boolean {
  return (
    left.uid === right.uid &&
    left.deleting === right.deleting &&
    left.serviceAccountName === right.serviceAccountName
  );
}
