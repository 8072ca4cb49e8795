import type { ContentKey } from '@hawser/sync';
import type { KeptContent } from './kept-content.ts';

/** Who may want objects, as the records know it: a node's scope. See {@link hold}. */
export interface InterestNode {
  /** Everything that it wants, and how many of its other objects name it. */
  readonly holds: Map<ObjectRecord, number>;
  /** Objects among them that exist. */
  present: number;
  /** Objects among them of which it is not known yet whether they exist. */
  unanswered: number;
  /** What it has under this key is new, another, or gone. */
  touched(key: ContentKey): void;
  /** `unanswered` has changed. */
  settling(): void;
}

/** Where a record belongs. */
export interface RecordOwner {
  /** A first node wants the object. */
  wanted(record: ObjectRecord): void;
  /** No node wants it any more. */
  unwanted(record: ObjectRecord): void;
}

/** What the hub keeps of one object that some node wants, whether it exists or not. Bytes are kept here, once. */
export class ObjectRecord {
  readonly key: ContentKey;
  readonly owner: RecordOwner;
  /** undefined: it does not exist, as far as is known. */
  content: KeptContent | undefined = undefined;
  /** resourceVersion of the newest that is known of it: of the content, or of its deletion. `''`: none. */
  version = '';
  /** Whether it has been found out if it exists. */
  known = false;
  /** Complete lists of its resource that had begun when it was first wanted: only later ones tell all about it. */
  wantedAtList: number;
  /** What this object names, and every node needs that needs this. */
  references: readonly ObjectRecord[] = NONE;
  /** Who wants it: most objects are wanted by one node, and a set of its own for each would cost more than they do. */
  #nodes: InterestNode | Set<InterestNode> | undefined = undefined;

  constructor(key: ContentKey, owner: RecordOwner, wantedAtList: number) {
    this.key = key;
    this.owner = owner;
    this.wantedAtList = wantedAtList;
  }

  /** Nodes that want it. */
  get wantedBy(): number {
    if (this.#nodes instanceof Set) return this.#nodes.size;
    return this.#nodes === undefined ? 0 : 1;
  }

  /** The nodes that want it, as of now: what happens meanwhile does not show. */
  nodes(): readonly InterestNode[] {
    if (this.#nodes instanceof Set) return [...this.#nodes];
    return this.#nodes === undefined ? [] : [this.#nodes];
  }

  addNode(node: InterestNode): void {
    if (this.#nodes === undefined) this.#nodes = node;
    else if (this.#nodes instanceof Set) this.#nodes.add(node);
    else if (this.#nodes !== node) this.#nodes = new Set([this.#nodes, node]);
  }

  removeNode(node: InterestNode): void {
    if (this.#nodes === node) this.#nodes = undefined;
    else if (this.#nodes instanceof Set) this.#nodes.delete(node);
  }
}

const NONE: readonly ObjectRecord[] = Object.freeze([]);

/**
 * The node wants the object once more, and with it what the object names. The counts are what makes it exact: an
 * object leaves the node with the last that named it.
 */
export function hold(node: InterestNode, record: ObjectRecord): void {
  const count = node.holds.get(record) ?? 0;
  node.holds.set(record, count + 1);
  if (count > 0) return;
  record.addNode(node);
  if (!record.known) unanswered(node, 1);
  if (record.content !== undefined) {
    node.present += 1;
    node.touched(record.key);
  }
  if (record.wantedBy === 1) record.owner.wanted(record);
  for (const reference of record.references) hold(node, reference);
}

/** Takes one {@link hold} back. */
export function release(node: InterestNode, record: ObjectRecord): void {
  const count = node.holds.get(record) ?? 0;
  if (count > 1) {
    node.holds.set(record, count - 1);
    return;
  }
  if (!node.holds.delete(record)) return;
  record.removeNode(node);
  if (!record.known) unanswered(node, -1);
  if (record.content !== undefined) {
    node.present -= 1;
    node.touched(record.key);
  }
  for (const reference of record.references) release(node, reference);
  if (record.wantedBy === 0) record.owner.unwanted(record);
}

/** What the object names has changed. `references` has each record once. */
export function setReferences(record: ObjectRecord, references: readonly ObjectRecord[]): void {
  const old = record.references;
  if (old.length === references.length && old.every((reference, index) => reference === references[index]))
    return;
  const before = new Set(old);
  const after = new Set(references);
  record.references = references.length === 0 ? NONE : references;
  // First what is new: what moves from one place to another must not be dropped in between.
  for (const node of record.nodes()) {
    for (const reference of references) if (!before.has(reference)) hold(node, reference);
    for (const reference of old) if (!after.has(reference)) release(node, reference);
  }
}

/** Something is known of the object now: its content, or (undefined) that it does not exist. */
export function setContent(record: ObjectRecord, content: KeptContent | undefined, version: string): void {
  const old = record.content;
  record.content = content;
  record.version = version;
  const growth = Number(content !== undefined) - Number(old !== undefined);
  const answered = !record.known;
  record.known = true;
  for (const node of record.nodes()) {
    node.present += growth;
    if (old?.hash !== content?.hash) node.touched(record.key);
    if (answered) unanswered(node, -1);
  }
}

function unanswered(node: InterestNode, change: number): void {
  node.unanswered += change;
  node.settling();
}
