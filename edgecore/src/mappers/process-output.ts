import type { Readable } from 'node:stream';

const MAX_LINE_BYTES = 4 * 1024;
const MAX_LINES_PER_SECOND = 50;
const BURST_LINES = 200;

/** What is told of the output of a process. */
export interface ProcessOutputOptions {
  readonly onLine: (line: string) => void;
  /** So many lines were left out since the last one. */
  readonly onDropped: (lines: number) => void;
  readonly nowMs: () => number;
}

/**
 * Reads lines of a process that may write without end: longer ones are cut, and of many a second only some are told.
 * Its output is read in any case, so that it does not wait for us.
 */
export function readLines(stream: Readable, { onLine, onDropped, nowMs }: ProcessOutputOptions): void {
  let rest = '';
  let tokens = BURST_LINES;
  let lastMs = nowMs();
  let dropped = 0;
  const tell = (line: string): void => {
    const now = nowMs();
    tokens = Math.min(BURST_LINES, tokens + ((now - lastMs) / 1000) * MAX_LINES_PER_SECOND);
    lastMs = now;
    if (tokens < 1) {
      dropped += 1;
      return;
    }
    tokens -= 1;
    if (dropped > 0) onDropped(dropped);
    dropped = 0;
    onLine(line);
  };
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_LINE_BYTES);
    for (const line of lines) if (line.trim() !== '') tell(line.slice(0, MAX_LINE_BYTES));
  });
  stream.on('end', () => {
    if (rest.trim() !== '') tell(rest);
    if (dropped > 0) onDropped(dropped);
    dropped = 0;
  });
  stream.on('error', () => {}); // the end of the process is what counts
}
