import { isPlainObject, ResourceClient, RESOURCES, type JsonObject, type KubeObject } from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { hasCode, retryConflicts } from './conflict-retry.ts';
import { forbiddenAnnotations, forbiddenLabels, wantedLabels } from './node-labels.ts';
import { withKubelet } from '../cluster/node-kubelet.ts';
import { mergeNodeStatus, withoutHeartbeats } from './node-status.ts';
import { DONE, Refusal } from './outcome.ts';
import { sameStatus } from './same-status.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

interface Node extends KubeObject {
  readonly status?: Readonly<Record<string, unknown>>;
}

/** Writes what a node says about itself. */
export class NodeWriter {
  readonly #context: WriterContext;
  readonly #nodes: ResourceClient<Node>;

  constructor(context: WriterContext) {
    this.#context = context;
    this.#nodes = new ResourceClient<Node>(context.client, RESOURCES.nodes);
  }

  /**
   * The Node of the session's own node:
   * 1. labels and annotations that a node may not give itself are refused, before anything is done;
   * 2. no Node: it is created with labels, annotations, taints and status in one write; the hub adds its own labels,
   *    the pool that the node has joined with among them;
   * 3. labels and annotations that differ are patched; others' are left alone, and none is ever taken away;
   * 4. the status is laid over the live one, and written if more than heartbeat times differs. Heartbeats themselves
   *    are the Lease's business (KEP-589). Where API servers reach the kubelet is the hub's to say.
   * @throws Refusal 403; StatusError, ClientError
   */
  write(origin: Origin, body: UpstreamBodies['node']): Promise<UpstreamOutcome> {
    const labels = forbiddenLabels(body.labels);
    const annotations = forbiddenAnnotations(body.annotations);
    const forbidden = [...labels, ...annotations];
    if (forbidden.length > 0) {
      const why = `a node may not give itself these labels or annotations: ${forbidden.join(', ')}`;
      return Promise.reject(new Refusal(403, 'not-yours', why));
    }
    return this.#retrying(origin, () => this.#attempt(origin, body));
  }

  /**
   * Writes into the Node where API servers reach its kubelet, if it says otherwise; and nothing where there is no Node:
   * creating it will.
   * @throws StatusError, ClientError
   */
  announce(origin: Origin): Promise<UpstreamOutcome> {
    return this.#retrying(origin, async () => {
      const node = await this.#get(origin);
      if (node === undefined) return DONE;
      const before = node.status ?? {};
      const status = withKubelet(before, await this.#context.kubeletOf(origin.node));
      return this.#update(origin, node, before, status);
    });
  }

  #retrying(origin: Origin, attempt: () => Promise<UpstreamOutcome>): Promise<UpstreamOutcome> {
    return retryConflicts(origin, attempt, () => this.#context.metrics.conflicts.inc({ kind: 'node' }));
  }

  async #attempt(origin: Origin, body: UpstreamBodies['node']): Promise<UpstreamOutcome> {
    const live = await this.#get(origin);
    if (live === undefined) return this.#create(origin, body);
    const node = await this.#label(origin, live, body);
    const before = node.status ?? {};
    const reported = withKubelet(body.status, await this.#context.kubeletOf(origin.node));
    return this.#update(
      origin,
      node,
      before,
      mergeNodeStatus(before, reported, this.#context.clock.wallMs()),
    );
  }

  async #update(
    origin: Origin,
    node: Node,
    before: JsonObject,
    status: JsonObject,
  ): Promise<UpstreamOutcome> {
    if (sameStatus(withoutHeartbeats(status), withoutHeartbeats(before))) {
      this.#count('none');
      return DONE;
    }
    await this.#nodes.update(
      { ...node, apiVersion: 'v1', kind: 'Node', status },
      { ...callOptions(origin), subresource: 'status' },
    );
    this.#count('update');
    return DONE;
  }

  async #get(origin: Origin): Promise<Node | undefined> {
    try {
      return await this.#nodes.get('', origin.node, callOptions(origin));
    } catch (error) {
      if (hasCode(error, 404)) return undefined;
      throw error;
    }
  }

  /** AlreadyExists is a Conflict to the caller: the next attempt finds the Node. */
  async #create(origin: Origin, body: UpstreamBodies['node']): Promise<UpstreamOutcome> {
    const { labels, annotations, taints } = body;
    const status = withKubelet(body.status, await this.#context.kubeletOf(origin.node));
    await this.#nodes.create(
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name: origin.node,
          labels: wantedLabels(labels, this.#context.poolOf(origin.node)),
          annotations,
        },
        spec: { taints },
        status: mergeNodeStatus({}, status, this.#context.clock.wallMs()),
      },
      callOptions(origin),
    );
    this.#count('create');
    this.#context.log.info({ node: origin.node }, 'node registered');
    return DONE;
  }

  /** The Node with the labels and annotations that it is to have. */
  async #label(origin: Origin, node: Node, body: UpstreamBodies['node']): Promise<Node> {
    const { labels: present } = node.metadata;
    const labels = missing(wantedLabels(body.labels, this.#context.poolOf(origin.node), present), present);
    const annotations = missing(body.annotations, node.metadata.annotations);
    if (labels === undefined && annotations === undefined) return node;
    const patch = { metadata: { labels, annotations } };
    const patched = await this.#nodes.patch('', origin.node, 'merge', patch, callOptions(origin));
    this.#count('patch');
    return patched;
  }

  #count(verb: string): void {
    this.#context.metrics.writes.inc({ kind: 'node', verb });
  }
}

/** What of `wanted` is not in `present`; undefined if nothing. */
function missing(
  wanted: Readonly<Record<string, string>>,
  present: unknown,
): Readonly<Record<string, string>> | undefined {
  const known = isPlainObject(present) ? present : {};
  const entries = Object.entries(wanted).filter(([key, value]) => known[key] !== value);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
