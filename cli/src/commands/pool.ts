import { AdminClient, type PoolStatus } from '@hawser/edgecore/admin';
import { delay } from '@hawser/seams';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { poolFindings } from '../pool/pool-health.ts';
import { poolTable, poolText } from '../pool/pool-text.ts';
import { isAbsent } from './status.ts';

/** Options of `hawser pool status`. */
export interface PoolStatusOptions extends EdgeOptions {
  readonly watch?: boolean;
  readonly format: 'text' | 'table' | 'json' | 'yaml';
}

/** Between two looks with `--watch`, milliseconds. */
const WATCH_MS = 2000;
/** Source: ECMA-48, ED and CUP. */
const CLEAR_SCREEN = '\x1b[2J\x1b[H';

/** Shows the pool of this node, as this member sees it; needs no cloud. */
export async function poolStatus(
  context: CommandContext,
  options: PoolStatusOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const client = new AdminClient({ socket });
  const isWatching = options.watch === true;
  while (true) {
    const code = await lookOnce(context, client, options, isWatching);
    if (!isWatching) return code;
    await delay(WATCH_MS, { signal: context.signal });
  }
}

async function lookOnce(
  context: CommandContext,
  client: AdminClient,
  { format }: PoolStatusOptions,
  isWatching: boolean,
): Promise<ExitCode | undefined> {
  const isForPeople = format === 'text' || format === 'table';
  const clear = isWatching && context.screen && isForPeople ? CLEAR_SCREEN : '';
  let status: PoolStatus | undefined;
  try {
    status = await client.pool(context.signal);
  } catch (error) {
    // Somebody who watches a restart wants to see its end.
    if (!isWatching || !isAbsent(error)) throw error;
    context.progress(`${clear}edgecore does not run.`);
    return EXIT.degraded;
  }
  if (status === undefined) {
    const nothing =
      'This node is in no pool. A Node is put into one by the label apps.openyurt.io/nodepool=NAME.';
    await write(context, format, { pool: '', findings: [] }, nothing, clear);
    return undefined;
  }
  const nowMs = Date.now();
  const found = poolFindings(status, nowMs);
  const text = format === 'table' ? poolTable(status) : poolText(status, found, context.colours, nowMs);
  await write(context, format, { well: found.length === 0, findings: found, ...status }, text, clear);
  return found.length === 0 ? EXIT.done : EXIT.degraded;
}

async function write(
  context: CommandContext,
  format: PoolStatusOptions['format'],
  value: unknown,
  text: string,
  clear: string,
): Promise<void> {
  if (format !== 'yaml') {
    context.result(value, clear + text);
    return;
  }
  const { stringify } = await import('yaml');
  context.streams.stdout.write(`---\n${stringify(value)}`);
}
