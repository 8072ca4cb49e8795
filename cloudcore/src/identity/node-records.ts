import { ResourceClient, RESOURCES, type ApiClient } from '@hawser/kube';
import { systemClock, type Clock } from '@hawser/seams';
import { HAWSER_NAMESPACE } from '../cluster/names.ts';
import { CloudCoreError } from '../errors.ts';
import { compareAndSwap } from './compare-and-swap.ts';
import { checkNodeName } from './node-name.ts';
import { decodeRecord, encodeRecord, recordName, revoked, type NodeRecord } from './node-record.ts';

/** Reads and writes records of nodes at the API server. Errors: those of {@link ApiClient}, `ERR_CLOUDCORE_NODE_RECORD`. */
export class NodeRecords {
  readonly #configMaps: ResourceClient;

  constructor(client: ApiClient) {
    this.#configMaps = new ResourceClient(client, RESOURCES.configmaps);
  }

  /**
   * Changes a node's record, compare-and-swap.
   * @param change gets the record as it is; may be called again when somebody else wrote meanwhile; what it throws
   *   ends the operation
   * @returns the record as it was written
   */
  async change(node: string, change: (present: NodeRecord | undefined) => NodeRecord): Promise<NodeRecord> {
    let written: NodeRecord | undefined;
    await compareAndSwap(
      { resource: this.#configMaps, namespace: HAWSER_NAMESPACE, name: recordName(node) },
      (object) => {
        written = change(object === undefined ? undefined : decodeRecord(object));
        return encodeRecord(written, object);
      },
    );
    if (written === undefined) throw new TypeError('a swap ended without its change having been called');
    return written;
  }

  /** A node's record, undefined where there is none. */
  async get(node: string): Promise<NodeRecord | undefined> {
    const object = await compareAndSwap(
      { resource: this.#configMaps, namespace: HAWSER_NAMESPACE, name: recordName(node) },
      () => undefined,
    );
    return object === undefined ? undefined : decodeRecord(object);
  }

  /**
   * Revokes every certificate that the node has been issued, also where the record cannot be read.
   * @throws CloudCoreError `ERR_CLOUDCORE_NODE_UNKNOWN` where there is no record, unless `unknown` allows it
   */
  async revoke(node: string, nowMs: number, unknown: 'refuse' | 'allow'): Promise<void> {
    await compareAndSwap(
      { resource: this.#configMaps, namespace: HAWSER_NAMESPACE, name: recordName(node) },
      (object) => {
        if (object === undefined && unknown === 'refuse') {
          const message = `no node named ${JSON.stringify(node)} has joined`;
          throw new CloudCoreError('ERR_CLOUDCORE_NODE_UNKNOWN', message, { about: node });
        }
        return encodeRecord(
          revoked(object === undefined ? empty(node) : legible(object, node), nowMs),
          object,
        );
      },
    );
  }
}

/**
 * Revokes a node: its sessions end, and all its certificates are refused by every replica as soon as their watch has
 * told them, which takes milliseconds. It comes back only by joining with a token that was created afterwards.
 *
 * @param options.evenIfUnknown also for a name that no record is known of (a cluster restored from a backup)
 * @throws CloudCoreError `ERR_CLOUDCORE_NODE_NAME`, `ERR_CLOUDCORE_NODE_UNKNOWN`; the errors of {@link ApiClient}
 */
export async function revokeNode(
  client: ApiClient,
  node: string,
  options: { evenIfUnknown?: boolean; clock?: Clock } = {},
): Promise<void> {
  const { evenIfUnknown = false, clock = systemClock } = options;
  checkNodeName(node);
  await new NodeRecords(client).revoke(node, clock.wallMs(), evenIfUnknown ? 'allow' : 'refuse');
}

function empty(node: string): NodeRecord {
  return { node, certificates: [] };
}

function legible(object: Parameters<typeof decodeRecord>[0], node: string): NodeRecord {
  try {
    return decodeRecord(object);
  } catch (error) {
    if (error instanceof CloudCoreError) return empty(node); // all that a revocation needs to keep is the name
    throw error;
  }
}
