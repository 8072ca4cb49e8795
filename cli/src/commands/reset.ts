import { readdir, rm, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { AdminClient, DataDir, EdgeCoreError, PKI_DIR } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions, type EdgePlace } from '../edge/edge-place.ts';
import { readJoinedIdentity } from '../edge/joined-identity.ts';
import { isService, serviceRuns, stopCommand, stopService } from '../edge/edge-service.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { confirm } from '../output/confirm.ts';
import { isAbsent } from './status.ts';

/** Options of `hawser reset`. */
export interface ResetOptions extends EdgeOptions {
  readonly yes?: boolean;
  /** Keeps the store: what the node has of the cluster, and what it has not reported. */
  readonly keepData?: boolean;
}

/**
 * Makes this machine be no node any more: takes away its identity, its store and its configuration. Where edgecore is a
 * service it is stopped; else this refuses while it runs. Only files that edgecore makes are removed; what else is in the folders stays.
 */
export async function reset(context: CommandContext, options: ResetOptions): Promise<ExitCode | undefined> {
  const place = await findEdge(options);
  const { dataDir } = place;
  const service = await isService(place.configFile);
  const stops = service && (await serviceRuns());
  if (!stops) await refuseWhileRunning(place, context.signal);
  const doomed = await doomedFiles(place, options.keepData === true);
  const identity = await readJoinedIdentity(dataDir);
  if (doomed.length === 0) {
    context.result({ removed: [] }, `There is nothing to remove: this machine has not joined (${dataDir}).`);
    return undefined;
  }
  if (stops)
    context.progress('edgecore runs, and will be stopped. Its pods run until the runtime is told otherwise.');
  context.progress(`To be removed:\n${doomed.map((file) => `  ${file}`).join('\n')}`);
  const lost = options.keepData === true ? '' : ' What it has not reported to the cloud yet is lost.';
  await confirm(context, `Make this machine be no node any more?${lost}`, options.yes === true);
  if (service) await stopService(context.signal);
  await removeLocked(place, doomed);
  const text = [
    'This machine is no node any more.',
    ...(identity?.node === undefined ? [] : leftInCloud(identity.node)),
  ].join('\n');
  context.result({ removed: doomed, ...(identity?.node !== undefined && { node: identity.node }) }, text);
  return undefined;
}

function leftInCloud(node: string): string[] {
  return [
    `In the cloud the Node ${node} stays, with its pods, and so does its right to come in. To remove them:`,
    `    hawser node revoke ${node}`,
    `    kubectl delete node ${node}`,
  ];
}

async function refuseWhileRunning({ socket }: EdgePlace, signal: AbortSignal): Promise<void> {
  try {
    const { process: edge } = await new AdminClient({ socket }).status(signal);
    throw running(`edgecore runs (pid ${edge.pid}, socket ${socket})`, await stopCommand(edge.pid));
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
}

function running(message: string, stop: string, cause?: unknown): CliError {
  return new CliError('ERR_CLI_RUNNING', message, { remedy: `Stop it first: ${stop}`, cause });
}

/** Everything that edgecore and `hawser join` make, as far as it is there. */
async function doomedFiles(
  { dataDir, configFile, configured }: EdgePlace,
  keepData: boolean,
): Promise<string[]> {
  const names = await namesIn(dataDir);
  const isOurs = (name: string): boolean =>
    name === PKI_DIR || (!keepData && (name.startsWith('edge.db') || name === 'store.key'));
  return [
    ...names.filter(isOurs).map((name) => path.join(dataDir, name)),
    ...(configured ? [configFile] : []),
  ];
}

async function namesIn(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    const message = `${dir} cannot be read: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: dir, remedy: 'Say it as root.' });
  }
}

/** With the folder locked, so that no edgecore can start in it meanwhile, whatever socket it would have. */
async function removeLocked({ dataDir }: EdgePlace, doomed: readonly string[]): Promise<void> {
  const dir = new DataDir(dataDir);
  const { ProcessLock } = await import('@hawser/edgecore');
  const lock = (await namesIn(dataDir)).length > 0 ? new ProcessLock(dir) : undefined;
  try {
    lock?.acquire();
    for (const file of doomed) await rm(file, { recursive: true, force: true });
  } catch (error) {
    if (error instanceof EdgeCoreError && error.code === 'ERR_EDGE_STORE_IN_USE') {
      throw running(`an edgecore uses ${dataDir}`, await stopCommand(undefined), error);
    }
    if (error instanceof EdgeCoreError) throw error;
    const message = `not everything could be removed: ${(error as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause: error, remedy: 'Say it again as root.' });
  } finally {
    lock?.release();
  }
  if (lock === undefined) return;
  await rm(dir.lock, { force: true });
  // Somebody else's files keep the folder: then it is not ours to remove.
  await rmdir(dataDir).catch(() => {});
}
