import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import type { Address } from '../cloud/address.ts';
import type { EdgePlace } from '../edge/edge-place.ts';
import { readJoinedIdentity } from '../edge/joined-identity.ts';
import path from 'node:path';
import type { Check, CheckName, CheckResult } from './check.ts';
import { checkClock, checkCloud } from './hub-checks.ts';
import { probeHub, type HubProbe } from './hub-probe.ts';
import { checkJoined, checkRunning, checkRuntime, isThatNode, type JoinTarget } from './local-checks.ts';
import {
  checkCgroups,
  checkDisk,
  checkMemory,
  checkNodeName,
  checkNodeVersion,
  checkRights,
  checkSwap,
} from './machine-checks.ts';

/** What is looked at. */
export interface PreflightSubject extends JoinTarget {
  readonly place: EdgePlace;
  readonly hub: Address;
  /** Whether the name of the node was chosen, or is the machine's. */
  readonly nodeGiven: boolean;
  /** `pods.runtime`; undefined: nobody has said. */
  readonly runtime?: string | undefined;
  readonly runtimeEndpoint: string | undefined;
  readonly skip: readonly CheckName[];
}

/** What came out of one check, with its name. */
export interface NamedResult extends CheckResult {
  readonly name: CheckName;
}

const MARKS = { good: '✓', warning: '!', failed: '✗' } as const;

/**
 * Looks at this machine and at the way to the hub, all of it, before anything is changed.
 * @throws CliError `ERR_CLI_CHECKS` when something would not work; `context.signal.reason`
 */
export async function preflight(
  context: CommandContext,
  subject: PreflightSubject,
): Promise<readonly NamedResult[]> {
  const results: NamedResult[] = [];
  for (const { name, run } of await checksOf(context, subject)) {
    context.signal.throwIfAborted();
    if (subject.skip.includes(name)) continue;
    const result = await run();
    if (result === undefined) continue;
    results.push({ name, ...result });
    for (const line of lines({ name, ...result }, context)) context.progress(line);
  }
  const bad = results.filter(({ result }) => result === 'failed');
  if (bad.length === 0) return results;
  const names = bad.map(({ name }) => name).join(', ');
  const count = bad.length === 1 ? 'a check' : `${bad.length} checks`;
  throw new CliError('ERR_CLI_CHECKS', `${count} failed: ${names}. Nothing was changed.`, {
    details: results,
  });
}

async function checksOf(context: CommandContext, subject: PreflightSubject): Promise<readonly Check[]> {
  const { place, hub, node, pin } = subject;
  const { signal } = context;
  const identity = await readJoinedIdentity(place.dataDir);
  let probed: Promise<HubProbe> | undefined;
  const probe = (): Promise<HubProbe> => (probed ??= probeHub(hub, pin, signal));
  const now = <T>(value: T): Promise<T> => Promise.resolve(value);
  return [
    { name: 'node-version', run: () => now(checkNodeVersion(process.version)) },
    { name: 'rights', run: () => checkRights([path.dirname(place.configFile), place.dataDir]) },
    { name: 'hostname', run: () => now(checkNodeName(node, subject.nodeGiven)) },
    { name: 'running', run: () => checkRunning(place.socket, isThatNode(identity, subject), signal) },
    { name: 'joined', run: () => now(checkJoined(identity, subject)) },
    { name: 'disk', run: () => checkDisk(place.dataDir) },
    { name: 'memory', run: () => now(checkMemory()) },
    { name: 'swap', run: () => checkSwap() },
    { name: 'cgroups', run: () => checkCgroups() },
    { name: 'runtime', run: () => checkRuntime(subject, signal) },
    { name: 'cloud', run: async () => checkCloud(hub, await probe()) },
    { name: 'clock', run: async () => checkClock(await probe(), Date.now()) },
  ];
}

function lines({ name, result, found, remedy }: NamedResult, { colours }: CommandContext): string[] {
  const paint = { good: colours.good, warning: colours.doubtful, failed: colours.bad }[result];
  return [`${paint(MARKS[result])} ${name}: ${found}`, ...(remedy === undefined ? [] : [`    → ${remedy}`])];
}
