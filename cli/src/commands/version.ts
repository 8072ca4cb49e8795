import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import type { ExitCode } from '../exit-codes.ts';
import { fields } from '../output/table.ts';
import { VERSION } from '../version.ts';
import { isAbsent } from './status.ts';

/** Options of `hawser version`. */
export interface VersionOptions extends EdgeOptions {
  /** With either of these the API server is asked too. */
  readonly kubeconfig?: string;
  readonly context?: string;
  /** Only this command's own. */
  readonly client?: boolean;
}

/** Releases, as far as they can be asked for. */
interface Versions {
  readonly client: string;
  readonly node: string;
  /** Of the edgecore of this machine. */
  readonly edge?: string;
  /** Of the hub that it has a session with. */
  readonly hub?: string;
  readonly kubernetes?: string;
  /** What did not answer, and why. */
  readonly problems: readonly string[];
}

/** Says which releases are at work: of this command, of edgecore and its hub where it runs, of the API server if asked. */
export async function version(
  context: CommandContext,
  options: VersionOptions,
): Promise<ExitCode | undefined> {
  const versions: Versions = {
    client: VERSION,
    node: process.version,
    problems: [],
    ...(options.client !== true && (await others(context, options))),
  };
  const { client, node, edge, hub, kubernetes, problems } = versions;
  const text = fields([
    ['hawser', `${client} (Node.js ${node})`],
    ['edgecore', edge],
    ['hub', hub],
    ['Kubernetes', kubernetes],
  ]);
  context.result(versions, [text, ...problems].join('\n'));
  return undefined;
}

async function others(
  context: CommandContext,
  options: VersionOptions,
): Promise<Omit<Versions, 'client' | 'node'>> {
  const problems: string[] = [];
  const edge = await edgeVersions(context, options, problems);
  const wantsCluster = options.kubeconfig !== undefined || options.context !== undefined;
  const kubernetes = wantsCluster ? await clusterVersion(context, options, problems) : undefined;
  return { ...edge, ...(kubernetes !== undefined && { kubernetes }), problems };
}

async function edgeVersions(
  { signal }: CommandContext,
  options: EdgeOptions,
  problems: string[],
): Promise<{ edge?: string; hub?: string }> {
  try {
    const { socket } = await findEdge(options);
    const { process: edge, session } = await new AdminClient({ socket, timeoutMs: 2000 }).status(signal);
    const hub = session.current?.hubSoftware;
    return { edge: edge.software, ...(hub !== undefined && { hub }) };
  } catch (error) {
    signal.throwIfAborted();
    if (!isAbsent(error)) problems.push(`edgecore: ${(error as Error).message}`);
    return {}; // a machine without an edgecore is nothing to speak of
  }
}

async function clusterVersion(
  context: CommandContext,
  options: VersionOptions,
  problems: string[],
): Promise<string | undefined> {
  const [{ withCluster }, { checkApiServer }] = await Promise.all([
    import('../cloud/kube-access.ts'),
    import('../cloud/api-server.ts'),
  ]);
  try {
    return await withCluster(context, options, async (client) => {
      return (await checkApiServer(client, context.signal)).version;
    });
  } catch (error) {
    context.signal.throwIfAborted();
    problems.push(`Kubernetes: ${(error as Error).message}`);
    return undefined;
  }
}
