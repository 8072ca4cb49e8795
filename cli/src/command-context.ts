import type { Logger } from '@hawser/seams';
import type { ExitCode } from './exit-codes.ts';
import { coloursFor, type Colours } from './output/colours.ts';
import { stderrLogger } from './output/stderr-logger.ts';
import type { Streams } from './streams.ts';

/** How results are written: for people, or one JSON document. */
export const OUTPUT_FORMATS = ['text', 'json'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

/** Options that every command has. */
export interface CommonOptions {
  readonly output: OutputFormat;
  readonly verbose?: boolean;
}

/** What a command works with. */
export interface CommandContext {
  readonly format: OutputFormat;
  readonly verbose: boolean;
  /** Colours of what goes to standard output. */
  readonly colours: Colours;
  /** Whether somebody is at a terminal, and can be asked. */
  readonly interactive: boolean;
  /** Whether standard output is a terminal, which can be cleared. */
  readonly screen: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** For commands whose result is a stream of bytes, and those that take input. */
  readonly streams: Streams;
  /** For the parts of other packages; goes to standard error. */
  readonly log: Logger;
  /** The result: a text for people, or a value as JSON, by what was asked for. Once for each command. */
  readonly result: (value: unknown, text: string) => void;
  /** Progress, for people only: goes to standard error, and nowhere with `--output json`. */
  readonly progress: (line: string) => void;
}

/** A command's work. Answers an exit code; undefined is 0. */
export type CommandAction<Options> = (
  context: CommandContext,
  options: Options,
) => Promise<ExitCode | undefined>;

/** The context of one run. */
export function commandContext(
  options: CommonOptions,
  streams: Streams,
  signal: AbortSignal,
): CommandContext {
  const { stdout, stderr, interactive, env } = streams;
  const { output: format, verbose = false } = options;
  return {
    ...{ format, verbose, interactive, env, signal, streams },
    colours: coloursFor(stdout, env),
    screen: stdout.isTTY === true,
    log: stderrLogger((line) => void stderr.write(line), verbose),
    result: (value, text) => {
      const shown = format === 'json' ? JSON.stringify(value, undefined, 2) : text;
      if (shown !== '') stdout.write(`${shown}\n`);
    },
    progress: (line) => {
      if (format === 'text') stderr.write(`${line}\n`);
    },
  };
}
