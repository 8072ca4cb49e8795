import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseDuration } from '../output/times.ts';
import { chooseContainer } from '../pods/choose-container.ts';
import { writeTo } from '../streams.ts';

/** Options of `hawser logs`. */
export interface LogsOptions extends EdgeOptions {
  readonly namespace: string;
  readonly container?: string;
  readonly follow?: boolean;
  readonly tail?: number;
  /** `5m`. */
  readonly since?: string;
  /** RFC 3339. */
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  readonly previous?: boolean;
  readonly limitBytes?: number;
}

/** Writes what a container has written, as it is; needs no cloud. */
export async function logs(
  context: CommandContext,
  pod: string,
  options: LogsOptions,
): Promise<ExitCode | undefined> {
  const query = logQuery(options);
  const { socket } = await findEdge(options);
  const client = new AdminClient({ socket });
  const { signal, streams } = context;
  const { namespace } = options;
  const view = await client.pod(namespace, pod, signal);
  const container = chooseContainer(view, options.container, context.progress);
  const at = [namespace, pod, container].map(encodeURIComponent).join('/');
  const log = await client.stream(`/containerLogs/${at}?${query.toString()}`, signal);
  try {
    for await (const chunk of log) await writeTo(streams.stdout, chunk as Buffer);
  } catch (cause) {
    signal.throwIfAborted();
    throw new CliError('ERR_CLI_LOG_CUT', `the log of ${namespace}/${pod} was cut`, { cause });
  }
  return undefined;
}

/** The query of the kubelet API. @throws CliError `ERR_CLI_USAGE` */
function logQuery(options: LogsOptions): URLSearchParams {
  const { follow, tail, since, sinceTime, timestamps, previous, limitBytes } = options;
  if (since !== undefined && sinceTime !== undefined) {
    throw new CliError('ERR_CLI_USAGE', 'only one of --since and --since-time can be said');
  }
  const sinceSeconds = since === undefined ? undefined : Math.ceil(parseDuration(since, '--since') / 1000);
  const wanted = { follow, tailLines: tail, sinceSeconds, sinceTime, timestamps, previous, limitBytes };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query;
}
