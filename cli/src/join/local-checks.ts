import { connect } from 'node:net';
import { AdminClient, edgeConfig } from '@hawser/edgecore/admin';
import { isAbsent } from '../commands/status.ts';
import type { JoinedIdentity } from '../edge/joined-identity.ts';
import { stopCommand } from '../edge/edge-service.ts';
import { failed, good, warning, type CheckResult } from './check.ts';

/** How long a runtime has to take a connection, milliseconds. */
const CONNECT_MS = 3000;

/** What a machine joins as. */
export interface JoinTarget {
  readonly node: string;
  /** Of the cluster's authority, from the token. */
  readonly pin: string;
  /** Whether a present identity is to be replaced. */
  readonly replace: boolean;
}

/** Whether this machine is that node of that cluster already. */
export function isThatNode(identity: JoinedIdentity | undefined, { node, pin }: JoinTarget): boolean {
  return identity?.node === node && identity.pins.includes(pin);
}

/** Whether the machine has joined before, as what. */
export function checkJoined(identity: JoinedIdentity | undefined, target: JoinTarget): CheckResult {
  if (identity === undefined) return good('not yet');
  const { node, file, problem } = identity;
  if (target.replace) return good(`as ${node ?? 'something unreadable'}: that identity will be replaced`);
  if (node === undefined) {
    return failed(
      `${file} is there and cannot be used: ${problem ?? ''}`,
      'Restore it from a backup, or join with --replace and a token that was created with --replace.',
    );
  }
  if (isThatNode(identity, target)) return good(`as ${node}, of this cluster: nothing needs to be sent`);
  const where = identity.pins.includes(target.pin) ? 'of this cluster' : 'of another cluster';
  return failed(
    `this machine is the node ${node} ${where}`,
    'If it is to leave there, say `hawser reset` first. `--replace` replaces its identity in place.',
  );
}

/** Whether an edgecore runs that would be in the way. */
export async function checkRunning(
  socket: string,
  isSame: boolean,
  signal: AbortSignal,
): Promise<CheckResult> {
  try {
    const { node, process: edge } = await new AdminClient({ socket, timeoutMs: CONNECT_MS }).status(signal);
    if (isSame) return good(`edgecore runs as ${node.name} (pid ${edge.pid})`);
    const remedy = `Stop it first: ${await stopCommand(edge.pid)}. Several on one machine need a --socket and a --data-dir each.`;
    return failed(`edgecore runs as ${node.name} (pid ${edge.pid}, socket ${socket})`, remedy);
  } catch (error) {
    signal.throwIfAborted();
    if (isAbsent(error)) return good('edgecore does not run');
    return failed(
      `${socket} is in use, or not for this user: ${(error as Error).message}`,
      'Say it as root, or choose another --socket.',
    );
  }
}

/** The process of the edgecore behind a socket; undefined: there is none. */
export async function runningPid(socket: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    return (await new AdminClient({ socket, timeoutMs: CONNECT_MS }).status(signal)).process.pid;
  } catch {
    signal.throwIfAborted();
    return undefined; // what can be said of it, the checks have said
  }
}

/**
 * Whether there is something that runs pods: for `cri`, whether a container runtime listens.
 * @param wanted `runtimeEndpoint`: `unix:///path` or a path; undefined: nobody has said one, and it may be installed
 *   later
 */
export async function checkRuntime(
  wanted: { readonly runtime?: string | undefined; readonly runtimeEndpoint: string | undefined },
  signal: AbortSignal,
): Promise<CheckResult> {
  const { runtime = 'cri', runtimeEndpoint: endpoint } = wanted;
  if (runtime !== 'cri') return otherRuntime(runtime);
  const place = endpoint ?? edgeConfig().pods.runtimeEndpoint;
  const socket = place.replace(/^unix:\/\//, '');
  if (!socket.startsWith('/')) {
    return failed(`${place} is no unix socket`, 'Write it as unix:///run/containerd/containerd.sock.');
  }
  const problem = await connectProblem(socket, signal);
  if (problem === undefined) return good(`${socket} answers`);
  const found = `nothing answers on ${socket}: ${problem}`;
  if (endpoint === undefined) {
    return warning(
      found,
      'No pod runs without one: install containerd and its CNI plug-ins, or name another with --runtime-endpoint.',
    );
  }
  return failed(found, 'Start the runtime (`systemctl start containerd`), or correct the path.');
}

/** What there is to say of a runtime that listens nowhere. */
function otherRuntime(runtime: string): CheckResult {
  if (runtime === 'process') {
    return warning(
      'pods will be processes of this machine, without isolation',
      'For programs that you trust: see docs/runtimes.md. With containerd, leave --runtime out.',
    );
  }
  if (runtime === 'null') return warning('pods will not run', 'It is for tests: leave --runtime out.');
  return warning(
    `${runtime} is looked for when edgecore starts`,
    'See that it is there, and that only root can write to it.',
  );
}

function connectProblem(socket: string, signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const connection = connect({
      path: socket,
      signal: AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]),
    });
    connection.on('connect', () => {
      connection.destroy();
      resolve(undefined);
    });
    connection.on('error', (error) => {
      if (signal.aborted) reject(signal.reason as Error);
      else resolve(error.message);
    });
  });
}
