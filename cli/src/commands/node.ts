import {
  ANNOTATIONS,
  decodeRecord,
  HAWSER_NAMESPACE,
  isOut,
  LABELS,
  NODE_IDENTITY,
  NODE_LEASE_NAMESPACE,
  NodeRecords,
  revokeNode,
  type NodeRecord,
} from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES, type ApiClient, type ApiResource, type KubeObject } from '@hawser/kube';
import { unlessMissing } from '../cloud/apply.ts';
import { withCluster, type KubeOptions } from '../cloud/kube-access.ts';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { confirm } from '../output/confirm.ts';
import { fields, table } from '../output/table.ts';
import { formatRelative, formatTime } from '../output/times.ts';

const PAGE_SIZE = 500;

/** A node as the cloud knows it: what it has joined with, its Node object, and who holds its session. */
interface KnownNode {
  readonly name: string;
  readonly pool?: string;
  readonly joinedAt?: string;
  readonly revokedAt?: string;
  /** Whether it may not come in: revoked, and not joined since. */
  readonly out: boolean;
  /** End of the certificate that lives longest, RFC 3339. */
  readonly certificateExpires?: string;
  readonly certificates: number;
  /** The condition Ready of its Node object; absent: there is no Node. */
  readonly ready?: string;
  readonly readyMessage?: string;
  readonly replica?: string;
  readonly sessionEpoch?: string;
  /** When its Lease was renewed the last time, RFC 3339. */
  readonly leaseRenewed?: string;
}

/** Lists the nodes that have joined. */
export async function nodeList(context: CommandContext, options: KubeOptions): Promise<ExitCode | undefined> {
  await withCluster(context, options, async (client) => {
    const { signal } = context;
    const [records, nodes, leases] = await Promise.all([
      listAll(client, RESOURCES.configmaps, HAWSER_NAMESPACE, `${LABELS.kind}=${NODE_IDENTITY}`, signal),
      listAll(client, RESOURCES.nodes, '', LABELS.edge, signal),
      listAll(client, RESOURCES.leases, NODE_LEASE_NAMESPACE, undefined, signal),
    ]);
    const byName = (objects: readonly KubeObject[]): Map<string, KubeObject> =>
      new Map(objects.map((object) => [object.metadata.name ?? '', object]));
    const [nodesByName, leasesByName] = [byName(nodes), byName(leases)];
    const known = records
      .flatMap((record) => legible(context, record))
      .map((record) => knownNode(record, nodesByName.get(record.node), leasesByName.get(record.node)))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const nowMs = Date.now();
    const rows = known.map((node) => [
      node.name,
      stateOf(node),
      node.pool ?? '-',
      node.certificateExpires === undefined ? '-' : formatRelative(node.certificateExpires, nowMs),
      node.replica ?? '-',
      node.sessionEpoch ?? '-',
      node.joinedAt === undefined ? '-' : formatRelative(node.joinedAt, nowMs),
    ]);
    const header = ['NAME', 'STATE', 'POOL', 'CERTIFICATE ENDS', 'REPLICA', 'EPOCH', 'JOINED'];
    context.result(known, known.length === 0 ? 'No node has joined.' : table([header, ...rows]));
  });
  return undefined;
}

/** Options of `hawser node show` and `revoke`. */
export interface NodeOptions extends KubeOptions {
  readonly name: string;
}

/** Shows what the cloud knows of one node. */
export async function nodeShow(
  context: CommandContext,
  { name, ...options }: NodeOptions,
): Promise<ExitCode | undefined> {
  await withCluster(context, options, async (client) => {
    const { signal } = context;
    const record = await new NodeRecords(client).get(name);
    const get = (resource: ApiResource, namespace: string): Promise<KubeObject | undefined> =>
      unlessMissing(new ResourceClient(client, resource).get(namespace, name, { signal }));
    const [node, lease] = await Promise.all([
      get(RESOURCES.nodes, ''),
      get(RESOURCES.leases, NODE_LEASE_NAMESPACE),
    ]);
    if (record === undefined) throw unknownNode(name);
    const known = knownNode(record, node, lease);
    context.result({ ...known, issued: record.certificates }, describe(known, record, Date.now()));
  });
  return undefined;
}

/** Options of `hawser node revoke`. */
export interface NodeRevokeOptions extends NodeOptions {
  readonly yes?: boolean;
  /** Also a name that no record is known of. */
  readonly force?: boolean;
}

/** Shuts a node out, at once: its sessions end, and its certificates are refused. */
export async function nodeRevoke(
  context: CommandContext,
  { name, yes = false, force = false, ...options }: NodeRevokeOptions,
): Promise<ExitCode | undefined> {
  await withCluster(context, options, async (client) => {
    if (!force && (await new NodeRecords(client).get(name)) === undefined) throw unknownNode(name);
    await confirm(context, `Shut the node ${name} out? It can come back only by joining anew.`, yes);
    await revokeNode(client, name, { evenIfUnknown: force });
    const text = [
      `The node ${name} is revoked: its session ends, and its certificates are refused from now on.`,
      `Its Node object stays, with its pods. To remove them:  kubectl delete node ${name}`,
      `To let it come back:  hawser token create --node ${name}`,
    ].join('\n');
    context.result({ node: name, revoked: true }, text);
  });
  return undefined;
}

function unknownNode(name: string): CliError {
  const remedy =
    '`hawser node list` shows the nodes that have joined. After a restore from a backup, `--force` revokes a name without a record.';
  return new CliError('ERR_CLI_NOT_FOUND', `no node named ${name} has joined`, { about: name, remedy });
}

async function listAll(
  client: ApiClient,
  resource: ApiResource,
  namespace: string,
  labelSelector: string | undefined,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const resources = new ResourceClient(client, resource);
  const found: KubeObject[] = [];
  let next: string | undefined;
  do {
    const page = await resources.list(namespace, {
      signal,
      query: { labelSelector, limit: PAGE_SIZE, continue: next },
    });
    found.push(...page.items);
    next = page.metadata.continue === '' ? undefined : page.metadata.continue;
  } while (next !== undefined);
  return found;
}

function legible(context: CommandContext, object: KubeObject): NodeRecord[] {
  try {
    return [decodeRecord(object)];
  } catch (error) {
    context.log.warn({ err: error, configMap: object.metadata.name }, 'a record is left out');
    return [];
  }
}

function knownNode(
  record: NodeRecord,
  node: KubeObject | undefined,
  lease: KubeObject | undefined,
): KnownNode {
  const { node: name, pool, joinedAt, revokedAt, certificates } = record;
  const ends = certificates.map(({ notAfter }) => notAfter).sort((a, b) => Date.parse(a) - Date.parse(b));
  const certificateExpires = ends.at(-1);
  const ready = readyCondition(node);
  const annotations = lease?.metadata.annotations ?? {};
  const replica = annotations[ANNOTATIONS.replica];
  const sessionEpoch = annotations[ANNOTATIONS.sessionEpoch];
  const { renewTime } = (lease?.['spec'] ?? {}) as { readonly renewTime?: string };
  return {
    name,
    ...(pool !== undefined && { pool }),
    ...(joinedAt !== undefined && { joinedAt }),
    ...(revokedAt !== undefined && { revokedAt }),
    out: isOut(record),
    ...(certificateExpires !== undefined && { certificateExpires }),
    certificates: certificates.length,
    ...(ready !== undefined && { ready: ready.status, readyMessage: ready.message ?? '' }),
    ...(replica !== undefined && { replica }),
    ...(sessionEpoch !== undefined && { sessionEpoch }),
    ...(renewTime !== undefined && { leaseRenewed: renewTime }),
  };
}

function readyCondition(
  node: KubeObject | undefined,
): { readonly status: string; readonly message?: string } | undefined {
  if (node === undefined) return undefined;
  const { conditions = [] } = (node['status'] ?? {}) as {
    readonly conditions?: readonly { type: string; status: string; message?: string }[];
  };
  return conditions.find(({ type }) => type === 'Ready') ?? { status: 'Unknown' };
}

function stateOf({ out, ready }: KnownNode): string {
  if (out) return 'revoked';
  if (ready === undefined) return 'not registered';
  return ready === 'True' ? 'Ready' : ready === 'False' ? 'NotReady' : 'unknown';
}

function describe(node: KnownNode, record: NodeRecord, nowMs: number): string {
  const at = (time: string | undefined): string | undefined =>
    time === undefined ? undefined : `${formatTime(time)} (${formatRelative(time, nowMs)})`;
  const session =
    node.replica === undefined ? undefined : `${node.replica}, epoch ${node.sessionEpoch ?? '-'}`;
  const lines = fields([
    ['Node', node.name],
    ['State', [stateOf(node), node.out ? '' : node.readyMessage].filter(Boolean).join(': ')],
    ['Pool', node.pool],
    ['Joined', at(node.joinedAt)],
    ['Revoked', at(node.revokedAt)],
    ['Session', session],
    ['Lease renewed', at(node.leaseRenewed)],
    ['Certificates', String(record.certificates.length)],
  ]);
  const rows = record.certificates.map(({ serial, issuedAt, notAfter }) => [
    `  ${serial}`,
    `issued ${formatTime(issuedAt)}`,
    `ends ${formatTime(notAfter)}`,
  ]);
  return rows.length === 0 ? lines : `${lines}\n${table(rows)}`;
}
