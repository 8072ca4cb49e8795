import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { dataFrame, HeaderBlocks, pingFrame, SpdyFrames, synStreamFrame } from '@hawser/kube';
import { deferred } from '@hawser/seams';
import { CliError } from '../errors.ts';
import {
  execEnd,
  type ExecChannel,
  type ExecEnd,
  type ExecRequest,
  type TerminalSize,
} from './exec-channel.ts';

/** Source: apimachinery, remotecommand: exit codes in the error stream, sizes of the terminal. */
const PROTOCOL = 'v4.channel.k8s.io';
/** Runtimes send 32 KiB at most. */
const MAX_FRAME_BYTES = 1024 * 1024;
/** What the error stream may say. */
const MAX_STATUS_BYTES = 64 * 1024;
/** How long the runtime may take to begin, milliseconds. */
const ANSWER_MS = 30_000;
/** What a refusal may say. */
const MAX_REFUSAL = 2000;

/** Streams of a command, in the order in which they are opened; their ids are odd numbers. */
const STREAMS = ['error', 'stdin', 'stdout', 'stderr', 'resize'] as const;
type StreamName = (typeof STREAMS)[number];

/**
 * Runs a command through the kubelet API of this machine's edgecore, over SPDY/3.1. WebSocket would be its successor,
 * but cannot say that input has ended before v5.channel.k8s.io, which containerd 1.x does not have: `… | hawser exec
 * -i POD -- tar x` would never end. Source: client-go, remotecommand/v4.go.
 *
 * @throws CliError `ERR_CLI_EXEC` with what the other side has refused; `signal.reason`
 */
export async function spdyExec(options: ExecRequest, signal: AbortSignal): Promise<ExecChannel> {
  const { socket, head } = await upgrade(options, signal);
  const exec = new SpdyExec(socket, options);
  exec.start(head);
  return exec;
}

class SpdyExec implements ExecChannel {
  readonly ended: Promise<ExecEnd>;
  readonly #socket: Socket;
  readonly #options: ExecRequest;
  readonly #ended = deferred<ExecEnd>();
  readonly #frames = new SpdyFrames(MAX_FRAME_BYTES);
  readonly #ids: ReadonlyMap<StreamName, number>;
  /** Streams of which more may come. */
  readonly #open: Set<number>;
  #status = Buffer.alloc(0);
  #isInputOver = false;
  #handling: Promise<void> = Promise.resolve();

  constructor(socket: Socket, options: ExecRequest) {
    this.#socket = socket;
    this.#options = options;
    this.ended = this.#ended.promise;
    const wanted = STREAMS.filter((name) => isWanted(name, options));
    this.#ids = new Map(wanted.map((name, index) => [name, 2 * index + 1] as const));
    this.#open = new Set(
      ['error' as const, 'stdout' as const, 'stderr' as const].flatMap((name) => this.#ids.get(name) ?? []),
    );
  }

  /** Opens the streams. @param head what came with the answer */
  start(head: Buffer): void {
    const socket = this.#socket;
    const blocks = new HeaderBlocks();
    for (const [name, id] of this.#ids) socket.write(synStreamFrame(id, blocks.next({ streamtype: name })));
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', () => {}); // `close` follows
    socket.on('close', () => void this.#handling.then(() => this.#onClose()));
    if (head.length > 0) this.#take(head);
  }

  async write(bytes: Uint8Array): Promise<void> {
    const id = this.#ids.get('stdin');
    if (id === undefined || this.#isInputOver || this.#socket.destroyed) return;
    if (this.#socket.write(dataFrame(id, bytes))) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        this.#socket.off('drain', go);
        this.#socket.off('close', go);
        resolve();
      };
      this.#socket.on('drain', go);
      this.#socket.on('close', go);
    });
  }

  end(): void {
    const id = this.#ids.get('stdin');
    if (id === undefined || this.#isInputOver) return;
    this.#isInputOver = true;
    this.#socket.write(dataFrame(id, Buffer.alloc(0), true));
  }

  resize({ columns, rows }: TerminalSize): void {
    const id = this.#ids.get('resize');
    if (id === undefined || this.#socket.destroyed) return;
    this.#socket.write(dataFrame(id, Buffer.from(JSON.stringify({ Width: columns, Height: rows }))));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** One chunk at a time: whoever does not read the output holds up the socket. */
  #take(chunk: Buffer): void {
    this.#socket.pause();
    this.#handling = this.#handling
      .then(() => this.#handle(chunk))
      .then(
        () => void this.#socket.resume(),
        (error: unknown) => this.#fail(error),
      );
  }

  async #handle(chunk: Buffer): Promise<void> {
    for (const frame of this.#frames.push(chunk)) {
      switch (frame.kind) {
        case 'data':
          await this.#data(frame.stream, frame.bytes);
          if (frame.isLast) this.#close(frame.stream);
          break;
        case 'reset':
          this.#close(frame.stream);
          break;
        case 'ping':
          this.#socket.write(pingFrame(frame.id));
          break;
        case 'open':
        case 'go-away':
        case 'other':
          break;
      }
    }
  }

  async #data(stream: number, bytes: Buffer): Promise<void> {
    const { output } = this.#options;
    if (bytes.length === 0) return;
    if (stream === this.#ids.get('stdout')) await output.stdout(bytes);
    else if (stream === this.#ids.get('stderr')) await output.stderr(bytes);
    else if (stream === this.#ids.get('error') && this.#status.length < MAX_STATUS_BYTES) {
      this.#status = Buffer.concat([this.#status, bytes]);
    }
  }

  #close(stream: number): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    this.#ended.resolve(execEnd(this.#status.toString()));
    this.#socket.destroy();
  }

  #onClose(): void {
    const hasStatus = !this.#open.has(this.#ids.get('error') ?? 0);
    if (hasStatus || this.#status.length > 0) this.#ended.resolve(execEnd(this.#status.toString()));
    else this.#fail(new Error('edgecore or the container runtime has ended it'));
  }

  #fail(cause: unknown): void {
    this.#ended.reject(new CliError('ERR_CLI_EXEC', 'the connection to the command was cut', { cause }));
    this.#socket.destroy();
  }
}

function isWanted(name: StreamName, { stdin, tty }: ExecRequest): boolean {
  switch (name) {
    case 'stdin':
      return stdin;
    case 'stderr':
      return !tty;
    case 'resize':
      return tty;
    case 'error':
    case 'stdout':
      return true;
  }
}

function upgrade(
  { socket: socketPath, path }: ExecRequest,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly head: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': PROTOCOL };
    const asked = request({ ...{ socketPath, path, headers, signal }, method: 'POST', agent: false });
    const patience = setTimeout(
      () => asked.destroy(new Error(`no answer within ${ANSWER_MS} ms`)),
      ANSWER_MS,
    );
    asked.on('upgrade', (_answer, socket: Socket, head) => {
      clearTimeout(patience);
      resolve({ socket, head });
    });
    asked.on('response', (answer) => {
      clearTimeout(patience);
      void refusal(answer).then(reject);
    });
    asked.on('error', (cause) => {
      clearTimeout(patience);
      if (signal.aborted) reject(signal.reason as Error);
      else reject(new CliError('ERR_CLI_EXEC', `edgecore does not answer: ${cause.message}`, { cause }));
    });
    asked.end();
  });
}

/** Never rejects. */
async function refusal(answer: IncomingMessage): Promise<CliError> {
  let text = '';
  try {
    for await (const chunk of answer) {
      if (text.length < MAX_REFUSAL) text += String(chunk);
    }
  } catch {
    text ||= 'the answer was cut';
  }
  const said = text.trim() === '' ? `status ${answer.statusCode ?? 0}` : text.trim().slice(0, MAX_REFUSAL);
  return new CliError('ERR_CLI_EXEC', `the command was not run: ${said}`);
}
