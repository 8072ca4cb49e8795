import type { LogQuery } from './log-query.ts';

const NEWLINE = 0x0a;
const SPACE = 0x20;
/** Time (35 at most), stream, tags and their spaces; what has no third space in so many bytes is no line of a log. */
export const MAX_HEADER_BYTES = 128;
const MIN_TIME_BYTES = '2026-01-01T00:00:00Z'.length;
const FRACTION_DIGITS = 9;
const STREAMS = { Stdout: 'stdout', Stderr: 'stderr' } as const;

/** What comes before the content of a line: `2026-01-01T00:00:00.123456789Z stdout F `. */
export interface CriHeader {
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** The output's line goes on in the next one of the same stream. */
  readonly isPartial: boolean;
  /** Where the content begins. */
  readonly contentAt: number;
}

/**
 * Reads the header of the line that begins at `at`.
 * @returns undefined: it is none, or not complete
 */
export function readHeader(block: Buffer, at: number): CriHeader | undefined {
  // Bounded, so that what has no spaces is not looked through again for each of its lines.
  const head = block.subarray(at, at + MAX_HEADER_BYTES);
  const timeEnd = head.indexOf(SPACE);
  const streamEnd = timeEnd < MIN_TIME_BYTES ? -1 : head.indexOf(SPACE, timeEnd + 1);
  const tagEnd = streamEnd < 0 ? -1 : head.indexOf(SPACE, streamEnd + 1);
  if (tagEnd < 0) return undefined;
  const [time, stream, tags] = head.toString('latin1', 0, tagEnd).split(' ') as [string, string, string];
  if ((stream !== 'stdout' && stream !== 'stderr') || !isTime(time) || tags.includes('\n')) return undefined;
  return { time, stream, isPartial: tags === 'P' || tags.startsWith('P:'), contentAt: at + tagEnd + 1 };
}

/** Whether a header is of the stream that is wanted. */
export function isOfStream(header: CriHeader, wanted: LogQuery['stream'] = 'All'): boolean {
  return wanted === 'All' || STREAMS[wanted] === header.stream;
}

/** Cheap: what a runtime writes, not what somebody may think of. */
function isTime(time: string): boolean {
  return time[4] === '-' && time[7] === '-' && time[10] === 'T' && time[13] === ':' && time[16] === ':';
}

/** Nine digits after the point, the zone as it is. Source: kubelet, RFC3339NanoFixed. */
function fixedTime(time: string): string {
  const zoneAt = /[Z+-]/.exec(time.slice(MIN_TIME_BYTES - 1));
  const end = zoneAt === null ? time.length : MIN_TIME_BYTES - 1 + zoneAt.index;
  const fraction = time.slice(MIN_TIME_BYTES, end).padEnd(FRACTION_DIGITS, '0');
  return `${time.slice(0, MIN_TIME_BYTES - 1)}.${fraction}${time.slice(end)}`;
}

/** A line whose header was read. */
interface Inside {
  readonly isKept: boolean;
  readonly isPartial: boolean;
}

/**
 * Turns the bytes of log files, in whatever pieces they come, into what is asked for. Keeps no more than the header of
 * one line: a line may be of any length. A line that is none is left out, as a kubelet does.
 *
 * Format: `<time> <stdout|stderr> <tag>[:<tag>…] <content>`, tag `P` where the line of the output goes on.
 * Source: kubernetes/design-proposals-archive, kubelet-cri-logging; kubelet, logs.go.
 */
export class CriLogFormat {
  readonly #query: LogQuery;
  readonly #skipAtFirst: number;
  #remaining: number;
  /** Lines of the output that are still to be left out. */
  #skip: number;
  /** Beginning of a line whose header is not complete. */
  #carry: Buffer | undefined;
  /** In the middle of a line: what to do with the rest of it. */
  #inside: Inside | undefined;
  #atLineStart = true;

  /** @param skipLines lines to leave out at the beginning. Default 0 */
  constructor(query: LogQuery, skipLines = 0) {
    this.#query = query;
    this.#remaining = query.limitBytes ?? Infinity;
    this.#skip = skipLines;
    this.#skipAtFirst = skipLines;
  }

  /** Lines of the output that were left out because of `skipLines`. */
  get skipped(): number {
    return this.#skipAtFirst - this.#skip;
  }

  /** Nothing more will come: the limit is reached. */
  isDone(): boolean {
    return this.#remaining <= 0;
  }

  /** What follows is no continuation: another file begins. */
  breakLine(): void {
    this.#carry = undefined;
    this.#inside = undefined;
  }

  /** What is to be given out because of these bytes; of its own memory, not a view of `bytes`. */
  push(bytes: Buffer): Uint8Array {
    const block = this.#carry === undefined ? bytes : Buffer.concat([this.#carry, bytes]);
    this.#carry = undefined;
    const pieces: Buffer[] = [];
    let at = 0;
    while (at < block.length) {
      const inside = this.#inside;
      at = inside === undefined ? this.#header(block, at, pieces) : this.#content(inside, block, at, pieces);
    }
    return this.#join(pieces);
  }

  /** Reads the header at `at`; where to go on. */
  #header(block: Buffer, at: number, pieces: Buffer[]): number {
    const header = readHeader(block, at);
    if (header === undefined) {
      const isComplete = block.length - at >= MAX_HEADER_BYTES || block.includes(NEWLINE, at);
      if (isComplete) this.#inside = { isKept: false, isPartial: false };
      else this.#carry = Buffer.from(block.subarray(at));
      return isComplete ? at : block.length;
    }
    const { isPartial } = header;
    const isKept = this.#isWanted(header);
    this.#inside = { isKept, isPartial };
    if (isKept && this.#query.timestamps === true && this.#atLineStart) {
      pieces.push(Buffer.from(`${fixedTime(header.time)} `, 'latin1'));
      this.#atLineStart = false;
    }
    return header.contentAt;
  }

  #isWanted(header: CriHeader): boolean {
    const { sinceMs, stream } = this.#query;
    if (!isOfStream(header, stream)) return false;
    if (this.#skip > 0) {
      if (!header.isPartial) this.#skip -= 1;
      return false;
    }
    return sinceMs === undefined || Date.parse(header.time) >= sinceMs;
  }

  /** Passes on the content from `at`; where to go on. */
  #content(inside: Inside, block: Buffer, at: number, pieces: Buffer[]): number {
    const { isKept, isPartial } = inside;
    const newlineAt = block.indexOf(NEWLINE, at);
    const isLast = newlineAt >= 0 && !isPartial;
    const end = newlineAt < 0 ? block.length : newlineAt + (isLast ? 1 : 0);
    if (isKept && end > at) {
      pieces.push(block.subarray(at, end));
      this.#atLineStart = isLast;
    }
    if (newlineAt < 0) return block.length;
    this.#inside = undefined;
    return newlineAt + 1;
  }

  #join(pieces: readonly Buffer[]): Uint8Array {
    const joined = Buffer.concat(pieces);
    const kept = joined.length > this.#remaining ? joined.subarray(0, this.#remaining) : joined;
    this.#remaining -= kept.length;
    return kept;
  }
}
