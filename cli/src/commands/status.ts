import { AdminClient, EdgeCoreError, type EdgeStatus } from '@hawser/edgecore/admin';
import { delay } from '@hawser/seams';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions, type EdgePlace } from '../edge/edge-place.ts';
import { readJoinedIdentity, type JoinedIdentity } from '../edge/joined-identity.ts';
import { startCommand } from '../edge/edge-service.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { fields } from '../output/table.ts';
import { formatRelative, formatTime } from '../output/times.ts';
import { findings } from '../status/health.ts';
import { problemLines, statusText } from '../status/status-text.ts';

/** Options of `hawser status`. */
export interface StatusOptions extends EdgeOptions {
  readonly watch?: boolean;
}

/** Between two looks with `--watch`, milliseconds. */
const WATCH_MS = 2000;
/** Source: ECMA-48, ED and CUP. */
const CLEAR_SCREEN = '\x1b[2J\x1b[H';

/** Shows how this node is, by its own edgecore; needs no cloud. */
export async function status(context: CommandContext, options: StatusOptions): Promise<ExitCode | undefined> {
  const place = await findEdge(options);
  while (true) {
    const code = await show(context, place, options.watch === true);
    if (options.watch !== true) return code;
    await delay(WATCH_MS, { signal: context.signal });
  }
}

async function show(context: CommandContext, place: EdgePlace, watching: boolean): Promise<ExitCode> {
  const present = await ask(context, place);
  const clear = watching && context.screen && context.format === 'text' ? CLEAR_SCREEN : '';
  const nowMs = Date.now();
  if (present === undefined) return await showAbsent(context, place, nowMs, clear);
  const found = findings(present, nowMs);
  const value = { running: true, healthy: found.length === 0, findings: found, ...present };
  context.result(value, clear + statusText(present, found, context.colours, nowMs));
  return found.length === 0 ? EXIT.done : EXIT.degraded;
}

/** undefined: nobody listens. @throws EdgeCoreError where somebody does, and this user may not ask */
async function ask({ signal }: CommandContext, { socket }: EdgePlace): Promise<EdgeStatus | undefined> {
  try {
    return await new AdminClient({ socket }).status(signal);
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** Whether an error says that no edgecore listens on the socket. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof EdgeCoreError) || error.code !== 'ERR_EDGECORE_ADMIN_UNREACHABLE') return false;
  const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ECONNREFUSED';
}

async function showAbsent(
  context: CommandContext,
  place: EdgePlace,
  nowMs: number,
  clear: string,
): Promise<ExitCode> {
  const { socket, dataDir, configFile, configured } = place;
  const identity = await readJoinedIdentity(dataDir);
  const start = await startCommand(configFile);
  const remedy =
    identity === undefined
      ? 'Make a token in the cloud (hawser token create), and say hawser join here.'
      : `Start it: ${start}`;
  const { colours } = context;
  const text = [
    `${clear}${colours.bad('● edgecore does not run on this machine')}`,
    '',
    ...problemLines({ what: `Nobody listens on ${socket}.`, remedy }, colours),
    '',
    fields([
      ['Joined', joinedLine(identity, dataDir)],
      ['Certificate', certificateLine(identity, nowMs)],
      ['Cluster', identity?.clusterUid],
      ['Pool', identity?.pool],
      ['Configuration', configured ? configFile : `none (${configFile} is not there)`],
    ]),
  ].join('\n');
  const joined = identity === undefined ? { joined: false } : { joined: true, identity };
  context.result({ running: false, healthy: false, socket, dataDir, ...joined, remedy }, text);
  return EXIT.degraded;
}

function joinedLine(identity: JoinedIdentity | undefined, dataDir: string): string {
  if (identity === undefined) return `no: there is no identity in ${dataDir}`;
  const { node, file, problem } = identity;
  return node === undefined ? `${file} cannot be used: ${problem ?? ''}` : `as ${node}`;
}

function certificateLine(identity: JoinedIdentity | undefined, nowMs: number): string | undefined {
  const expires = identity?.certificateExpires;
  return expires === undefined
    ? undefined
    : `ends ${formatTime(expires)} (${formatRelative(expires, nowMs)})`;
}
