import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ApiClient } from '@hawser/kube';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import { VERSION } from '../version.ts';

/** Options of commands that speak with an API server. */
export interface KubeOptions {
  /** A kubeconfig file. Default: KUBECONFIG, then ~/.kube/config, then the service account of a pod. */
  readonly kubeconfig?: string;
  /** Default: the file's current context. */
  readonly context?: string;
}

/** Time for one attempt of a call, milliseconds: somebody waits. */
const CALL_TIMEOUT_MS = 15_000;
/** Attempts after the first; the client waits longer before each. */
const RETRIES = 2;
const IN_POD = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/**
 * Works with the API server of a kubeconfig, and closes the connection afterwards.
 * @throws CliError `ERR_CLI_CONFIG` without any kubeconfig; ClientError `ERR_KUBE_CLIENT_CONFIG`; what `work` throws
 */
export async function withCluster<T>(
  context: CommandContext,
  options: KubeOptions,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const file = await kubeconfigFile(options.kubeconfig, context.env);
  const { kubeConfigClient, loadKubeConfig } = await import('@hawser/kube/kubeconfig');
  const config = loadKubeConfig({
    ...(file !== undefined && { path: file }),
    ...(options.context !== undefined && { context: options.context }),
  });
  const client = kubeConfigClient(config, {
    userAgent: `hawser/${VERSION}`,
    timeoutMs: CALL_TIMEOUT_MS,
    retries: RETRIES,
    onWarning: (text) => context.log.warn({}, `the API server says: ${text}`),
  });
  try {
    return await work(client);
  } finally {
    client.close();
  }
}

/**
 * The kubeconfig that is used, as an absolute path; undefined in a pod, or where KUBECONFIG names several.
 * @throws CliError `ERR_CLI_CONFIG` where there is none at all
 */
export async function kubeconfigFile(
  given: string | undefined,
  env: CommandContext['env'],
): Promise<string | undefined> {
  if (given !== undefined) return path.resolve(given);
  const named = env['KUBECONFIG'] ?? '';
  if (named.includes(path.delimiter)) return undefined;
  if (named !== '') return path.resolve(named);
  const own = path.join(env['HOME'] ?? homedir(), '.kube', 'config');
  if (await exists(own)) return own;
  if (await exists(IN_POD)) return undefined;
  const remedy = 'Name one with `--kubeconfig FILE`, or set KUBECONFIG.';
  throw new CliError('ERR_CLI_CONFIG', `there is no kubeconfig: ${own} does not exist`, {
    remedy,
    about: own,
  });
}

async function exists(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false; // unreadable counts as absent: it is of no use
  }
}
