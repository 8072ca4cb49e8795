/** What became of a command, as the runtime says. Source: meta/v1 Status in the error channel, v4.channel.k8s.io. */
export interface ExecEnd {
  readonly exitCode: number;
  /** Why it could not be run; undefined: it ran, and ended with its exit code. */
  readonly problem?: string;
}

/** Size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** What a command writes. A promise that does not settle holds the command up. */
export interface ExecOutput {
  stdout(bytes: Uint8Array): Promise<void>;
  stderr(bytes: Uint8Array): Promise<void>;
}

/** A command that runs in a container. */
export interface ExecChannel {
  /** Resolves when it has ended and all it wrote is out. @throws CliError `ERR_CLI_EXEC` where the connection was cut */
  readonly ended: Promise<ExecEnd>;
  /** Gives it input; resolves when more makes sense. After its end nothing happens. */
  write(bytes: Uint8Array): Promise<void>;
  /** Its input has ended. */
  end(): void;
  resize(size: TerminalSize): void;
  /** Cuts the connection. Idempotent. */
  destroy(): void;
}

/** What a command is run with. */
export interface ExecRequest {
  /** Path of the admin socket. */
  readonly socket: string;
  /** Path and query of the kubelet API. */
  readonly path: string;
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly output: ExecOutput;
}

/** Reads what the error channel has said; nothing in it is success, as with a kubelet. */
export function execEnd(text: string): ExecEnd {
  if (text.trim() === '') return { exitCode: 0 };
  let status: {
    status?: unknown;
    reason?: unknown;
    message?: unknown;
    details?: { causes?: unknown } | null;
  };
  try {
    status = JSON.parse(text) as typeof status;
  } catch {
    return { exitCode: 1, problem: text.trim() }; // an older protocol has only text
  }
  if (status.status === 'Success') return { exitCode: 0 };
  if (status.reason === 'NonZeroExitCode') {
    const causes = (status.details?.causes ?? []) as readonly { reason?: unknown; message?: unknown }[];
    const code = Number(causes.find(({ reason }) => reason === 'ExitCode')?.message);
    if (Number.isInteger(code)) return { exitCode: code };
  }
  const problem = typeof status.message === 'string' ? status.message : text.trim();
  return { exitCode: 1, problem };
}
