import type { KubeObject } from '@hawser/kube';
import { formatKey, parseKey, type ContentKey } from '@hawser/sync';
import { LABELS } from '../cluster/names.ts';
import { kubeletFacts } from '../cluster/node-kubelet.ts';
import type { NodeFacts } from './cluster-view.ts';
import { record, records, text, texts } from './json-reader.ts';
import { NodeScope, type ScopeHost } from './node-scope.ts';
import { hold, release, type ObjectRecord } from './object-record.ts';

/** What {@link EdgeNodes} needs. */
export interface EdgeNodesOptions {
  readonly host: ScopeHost;
  /** The record of a Node, made if there is none. */
  readonly resolve: (key: ContentKey) => ObjectRecord;
  /** Pods that are kept of the node. */
  readonly podCount: (scope: NodeScope) => number;
  /** The node has become an edge node. */
  readonly onEnter: (scope: NodeScope) => void;
  /** It is one no longer. */
  readonly onLeave: (scope: NodeScope) => void;
  /** What is known of a Node has changed; before listeners hear of it. */
  readonly onFacts: (scope: NodeScope) => void;
  readonly onNode: (name: string) => void;
}

/** Whether a Node says that it is an edge node. */
export function isLabelled(node: KubeObject): boolean {
  return node.metadata.labels?.[LABELS.edge] !== undefined;
}

/**
 * Which nodes are edge nodes, and the scope of each: those whose Node carries the label `hawser.dev/edge`, and those
 * that a session claims. One whose Node was deleted stays one for as long as it has pods: they are still its own.
 */
export class EdgeNodes {
  readonly #options: EdgeNodesOptions;
  readonly #scopes = new Map<string, NodeScope>();
  readonly #facts = new Map<string, NodeFacts>();
  #edges = 0;

  constructor(options: EdgeNodesOptions) {
    this.#options = options;
  }

  /** Edge nodes. */
  get size(): number {
    return this.#edges;
  }

  /** Nodes whose facts are known. */
  names(): IterableIterator<string> {
    return this.#facts.keys();
  }

  scopes(): IterableIterator<NodeScope> {
    return this.#scopes.values();
  }

  get(name: string): NodeScope | undefined {
    return this.#scopes.get(name);
  }

  /** The scope of a node, made if there is none. */
  ensure(name: string): NodeScope {
    let scope = this.#scopes.get(name);
    if (scope === undefined) {
      scope = new NodeScope(name, this.#options.host);
      this.#scopes.set(name, scope);
    }
    return scope;
  }

  facts(name: string): NodeFacts | undefined {
    return this.#facts.get(name);
  }

  claim(name: string): () => void {
    const scope = this.ensure(name);
    scope.claims += 1;
    this.evaluate(scope);
    let claimed = true;
    return () => {
      if (!claimed) return;
      claimed = false;
      scope.claims -= 1;
      this.evaluate(scope);
    };
  }

  /** A Node was seen; undefined: it does not exist. */
  seen(key: ContentKey, node: KubeObject | undefined): void {
    const { name } = parseKey(key);
    const scope = this.ensure(name);
    const before = this.#facts.get(name);
    const after = node && factsOf(node);
    if (after === undefined) this.#facts.delete(name);
    else this.#facts.set(name, after);
    scope.labelled = node !== undefined && isLabelled(node);
    this.evaluate(scope);
    if (sameFacts(before, after)) return;
    this.#options.onFacts(scope);
    this.#options.onNode(name);
  }

  /** Draws the conclusions from what has changed about the node; forgets a scope that is of no use any more. */
  evaluate(scope: NodeScope): void {
    const lingering = scope.edge && !this.#facts.has(scope.name) && this.#options.podCount(scope) > 0;
    const edge = scope.labelled || scope.claims > 0 || lingering;
    if (edge && !scope.edge) this.#enter(scope);
    else if (!edge && scope.edge) this.#leave(scope);
    this.forgetUnused(scope);
  }

  /** Callers that were given a scope keep it; any other goes when nothing is in it. */
  forgetUnused(scope: NodeScope): void {
    if (!scope.edge && !scope.handedOut && scope.holds.size === 0) this.#scopes.delete(scope.name);
  }

  #enter(scope: NodeScope): void {
    scope.edge = true;
    this.#edges += 1;
    hold(scope, this.#options.resolve(formatKey('nodes', '', scope.name)));
    this.#options.onEnter(scope);
  }

  #leave(scope: NodeScope): void {
    scope.edge = false;
    this.#edges -= 1;
    this.#options.onLeave(scope);
    release(scope, this.#options.resolve(formatKey('nodes', '', scope.name)));
    if (this.#facts.delete(scope.name)) this.#options.onNode(scope.name);
  }
}

function factsOf(node: KubeObject): NodeFacts {
  const status = record(node['status']);
  const conditions = records(status['conditions']);
  const ready = conditions.find(({ type }) => type === 'Ready');
  return {
    uid: node.metadata.uid ?? '',
    labels: texts(node.metadata.labels),
    annotations: texts(node.metadata.annotations),
    ready: ready === undefined ? undefined : text(ready['status']),
    kubelet: kubeletFacts(status),
  };
}

function sameFacts(left: NodeFacts | undefined, right: NodeFacts | undefined): boolean {
  if (left === undefined || right === undefined) return left === right;
  return (
    left.uid === right.uid &&
    left.ready === right.ready &&
    left.kubelet.port === right.kubelet.port &&
    sameTexts(left.kubelet.addresses, right.kubelet.addresses) &&
    sameTexts(left.labels, right.labels) &&
    sameTexts(left.annotations, right.annotations)
  );
}

function sameTexts(left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name]);
}
