/** A place for output. */
export interface Sink {
  readonly isTTY?: boolean;
  /** Size of the terminal. */
  readonly columns?: number;
  readonly rows?: number;
  /** false: there is no room for more until `drain`. */
  write(data: string | Uint8Array): unknown;
  once?(event: 'drain', listener: () => void): unknown;
  on?(event: 'resize', listener: () => void): unknown;
  off?(event: 'resize', listener: () => void): unknown;
}

/** Where input comes from. */
export interface Source {
  readonly isTTY?: boolean;
  setRawMode?(isRaw: boolean): unknown;
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  off(event: 'data' | 'end', listener: (chunk: Buffer) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** What a run of the command reads and writes: the process's own, or a test's. */
export interface Streams {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Absent: there is no input. */
  readonly stdin?: Source;
  /** Whether somebody sits at the other end of standard input. */
  readonly interactive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Those of this process. */
export function processStreams(): Streams {
  const { stdin, stdout, stderr, env } = process;
  return { stdin, stdout, stderr, interactive: stdin.isTTY && stderr.isTTY, env };
}

/** Writes, and waits while whoever reads it does not: `hawser logs | less`. */
export async function writeTo(sink: Sink, data: Uint8Array): Promise<void> {
  if (sink.write(data) !== false || sink.once === undefined) return;
  await new Promise<void>((resolve) => sink.once?.('drain', resolve));
}
