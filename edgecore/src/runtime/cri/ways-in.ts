import { StringDecoder } from 'node:string_decoder';
import type { CriClient } from '../../cri/cri-client.ts';
import { RuntimeError } from '../runtime-error.ts';
import type { ExecResult, StreamRequest } from '../container-runtime.ts';

/** Of each kind of output. */
const LIMIT_OUTPUT_BYTES = 64 * 1024;
const SECOND_MS = 1_000;
/** The runtime kills the command, and says so, within this after its time. */
const KILL_MARGIN_MS = 2_000;

/** Runs a command in a container, as `ContainerRuntime.exec`. */
export async function execSync(
  client: CriClient,
  containerId: string,
  cmd: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ExecResult> {
  // CRI counts in seconds. Where ours is not a whole number of them the call is given up in time; containerd kills the
  // command then, and the seconds, rounded up, are for a runtime that does not.
  const timeout = Math.max(1, Math.ceil(timeoutMs / SECOND_MS));
  const callMs = timeoutMs === timeout * SECOND_MS ? timeoutMs + KILL_MARGIN_MS : timeoutMs;
  const answer = await client.call('ExecSync', { containerId, cmd, timeout }, { timeoutMs: callMs, signal });
  return { exitCode: answer.exitCode, stdout: textOf(answer.stdout), stderr: textOf(answer.stderr) };
}

/** Asks for the address of a stream, as `ContainerRuntime.streamUrl`. */
export async function streamUrl(
  client: CriClient,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<URL> {
  const { url } = await askForStream(client, request, signal);
  try {
    return new URL(url);
  } catch (cause) {
    throw new RuntimeError(
      'ERR_EDGECORE_RUNTIME',
      `${request.kind}: the runtime answered "${url}", which is no URL`,
      {
        cause,
      },
    );
  }
}

function askForStream(
  client: CriClient,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<{ readonly url: string }> {
  if (request.kind === 'port-forward') {
    return client.call('PortForward', { podSandboxId: request.sandboxId, port: request.ports }, { signal });
  }
  const { containerId, stdin, stdout, tty } = request;
  const stderr = request.stderr && !tty; // a terminal has one kind of output; runtimes refuse both together
  if (request.kind === 'attach') {
    return client.call('Attach', { containerId, stdin, stdout, stderr, tty }, { signal });
  }
  return client.call('Exec', { containerId, cmd: request.command, stdin, stdout, stderr, tty }, { signal });
}

/** The beginning of what was written, without half a character at the end. */
function textOf(output: Uint8Array): string {
  const bytes = Buffer.from(output.buffer, output.byteOffset, Math.min(output.length, LIMIT_OUTPUT_BYTES));
  return output.length <= LIMIT_OUTPUT_BYTES
    ? bytes.toString('utf8')
    : new StringDecoder('utf8').write(bytes);
}
