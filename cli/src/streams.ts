/** A place for output. */
export interface Sink {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** What a run of the command reads and writes: the process's own, or a test's. */
export interface Streams {
  readonly stdout: Sink;
  readonly stderr: Sink;
  /** Whether somebody sits at the other end of standard input. */
  readonly interactive: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Those of this process. */
export function processStreams(): Streams {
  const { stdin, stdout, stderr, env } = process;
  return { stdout, stderr, interactive: stdin.isTTY && stderr.isTTY, env };
}
