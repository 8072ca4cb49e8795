import { KubeletFailure } from './kubelet-failure.ts';

/** Which streams of a command are wanted. */
export interface StreamOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/**
 * Reads which streams an exec or attach wants. API servers say `input`, `output`, `error` and `tty`; the API itself
 * says `stdin`, `stdout`, `stderr`. Source: kubelet, cri/streaming/remotecommand NewOptions; core/v1 PodExecOptions.
 * @throws KubeletFailure 400 for none
 */
export function readStreamOptions(query: URLSearchParams): StreamOptions {
  const tty = isOn(query, 'tty');
  const stdin = isOn(query, 'input') || isOn(query, 'stdin');
  const stdout = isOn(query, 'output') || isOn(query, 'stdout');
  // A terminal has one stream for both.
  const stderr = (isOn(query, 'error') || isOn(query, 'stderr')) && !tty;
  if (stdin || stdout || stderr) return { stdin, stdout, stderr, tty };
  throw new KubeletFailure(400, 'you must specify at least 1 of stdin, stdout, stderr');
}

/**
 * Reads the ports of a port-forward. Only WebSocket has them in the query; SPDY has them in its streams.
 * Source: kubelet, cri/streaming/portforward NewV4Options.
 * @throws KubeletFailure 400
 */
export function readForwardPorts(query: URLSearchParams, isWebSocket: boolean): readonly number[] {
  if (!isWebSocket) return [];
  const texts = query.getAll('port');
  if (texts.length === 0) throw new KubeletFailure(400, 'query parameter "port" is required');
  return texts.flatMap((text) => {
    if (text === '') throw new KubeletFailure(400, 'query parameter "port" cannot be empty');
    return text.split(',').map((port) => readPort(port, text));
  });
}

function readPort(port: string, text: string): number {
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (Number.isNaN(number) || number > 65_535) {
    throw new KubeletFailure(400, `unable to parse "${text}" as a port`);
  }
  if (number < 1) throw new KubeletFailure(400, `port "${text}" must be > 0`);
  return number;
}

function isOn(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === '1' || value === 'true';
}
