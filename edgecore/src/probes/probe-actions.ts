import { connect } from 'node:net';
import { expandVariables } from '../containers/expansion.ts';
import { RuntimeError } from '../runtime/runtime-error.ts';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { PodContainer, Probe } from '../pods/pod.ts';
import { grpcProbe } from './grpc-probe.ts';
import { httpGetOf, sendHttpGet } from './http-get.ts';
import { networkFailure } from './network-failure.ts';
import { DeadlineError, withDeadline, type DeadlineOptions } from './probe-deadline.ts';
import { failure, MAX_OUTPUT_BYTES, SUCCESS, type ProbeOutcome } from './probe-outcome.ts';
import { addressOf, targetOf } from './probe-target.ts';

/** What {@link runProbe} asks, and how. */
export interface ProbeRun extends DeadlineOptions {
  readonly probe: Probe;
  readonly container: PodContainer;
  readonly containerId: string;
  /** Address of the pod, of the node where it is on the host's network; empty: none yet. */
  readonly podIp: string;
  readonly runtime: Pick<ContainerRuntime, 'exec'>;
}

/**
 * Asks a container once. Source: kubelet, prober/prober.go and pkg/probe.
 * @throws HeldUpError; RuntimeError of a command that could not be run; Error of a probe that cannot be made. None of
 *   them says anything about the container
 */
export function runProbe(run: ProbeRun): Promise<ProbeOutcome> {
  const { probe, container, podIp } = run;
  if (probe.exec !== undefined) return execProbe(run, probe.exec.command ?? []);
  if (probe.httpGet !== undefined) {
    const request = httpGetOf(probe.httpGet, container, podIp, 'probe');
    return answering(
      run,
      async (signal) => httpOutcome(await sendHttpGet(request, signal)),
      (error) =>
        error instanceof DeadlineError
          ? `Get "${request.text}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`
          : `Get "${request.text}": ${networkFailure(error, request.url.host)}`,
    );
  }
  if (probe.tcpSocket !== undefined) {
    const target = targetOf(container, probe.tcpSocket.port, probe.tcpSocket.host, podIp);
    const address = addressOf(target);
    return answering(
      run,
      (signal) => connected(target, signal),
      (error) =>
        error instanceof DeadlineError ? `dial tcp ${address}: i/o timeout` : networkFailure(error, address),
    );
  }
  if (probe.grpc !== undefined) {
    const target = targetOf(container, probe.grpc.port, undefined, podIp);
    return grpcProbe(target, probe.grpc.service ?? '', run);
  }
  throw new Error(`missing probe handler for ${container.name}`);
}

/** A command that ends with another code than 0, or does not end in time, has failed. */
async function execProbe(run: ProbeRun, command: readonly string[]): Promise<ProbeOutcome> {
  const { container, containerId, timeoutMs, signal, runtime } = run;
  const expanded = expandStatic(command, container);
  try {
    const { exitCode, stdout, stderr } = await runtime.exec(containerId, expanded, timeoutMs, signal);
    const output = `${stdout}${stderr}`.slice(0, MAX_OUTPUT_BYTES);
    return exitCode === 0 ? { result: 'success', output } : failure(output);
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === 'ERR_EDGECORE_RUNTIME_TIMEOUT')) throw error;
    return failure(`command timed out: "${expanded.join(' ')}" timed out after ${timeoutMs / 1000}s`);
  }
}

/** With the values that are in the spec itself. Source: kubelet, ExpandContainerCommandOnlyStatic. */
function expandStatic(command: readonly string[], { env = [] }: PodContainer): readonly string[] {
  const values = new Map(env.map(({ name, value }) => [name, value ?? '']));
  return command.map((word) => expandVariables(word, values));
}

/** Source: kubernetes, pkg/probe/http (DoHTTPProbe). The body of a failure is not shown: it may be secret. */
function httpOutcome({ status, body }: { readonly status: number; readonly body: string }): ProbeOutcome {
  if (status < 200 || status >= 400) return failure(`HTTP probe failed with statuscode: ${status}`);
  if (status < 300) return { result: 'success', output: body };
  return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
}

/** Runs it, and takes what went wrong with a connection for a failure of the container. */
async function answering(
  run: ProbeRun,
  attempt: (signal: AbortSignal) => Promise<ProbeOutcome>,
  words: (error: unknown) => string,
): Promise<ProbeOutcome> {
  return withDeadline(run, async (signal) => {
    try {
      return await attempt(signal);
    } catch (error) {
      if (signal.aborted && !(signal.reason instanceof DeadlineError)) throw error;
      return failure(words(error));
    }
  });
}

function connected(
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const finish = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      socket.destroy();
      settle();
    };
    const onAbort = (): void => finish(() => reject(signal.reason as Error));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => finish(() => resolve(SUCCESS)));
    socket.on('error', (error) => finish(() => reject(error)));
  });
}
