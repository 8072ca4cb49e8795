/** What a log is turned into on its way. */
export interface LogLinesOptions {
  /** The client did not ask for timestamps: they are taken away. */
  readonly strip: boolean;
  /** Bytes that the client wants at most. */
  readonly limitBytes?: number;
  /** After a resumption lines may be missing: what had passed did not come again. It is said in the log, too. */
  readonly onGap?: () => void;
}

interface Line {
  /** Absent: the line has none, such as a message of the runtime. */
  readonly timestamp: string | undefined;
  /** The client has its beginning already. */
  readonly continued: boolean;
  /** Bytes of it that are still to be passed over: the client has them. Infinity: it has the whole line. */
  skip: number;
  /** Bytes after the timestamp so far. */
  length: number;
}

interface Resume {
  readonly timestamp: string;
  readonly instant: bigint;
  /** Lines with this timestamp that the client has as a whole. */
  readonly complete: number;
  /** Bytes of the next one that it has. */
  readonly open: number | undefined;
  /** Lines with this timestamp that came again. */
  seen: number;
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
/** `2026-01-02T15:04:05.123456789+02:00`. */
const MAX_TIMESTAMP = 35;
const NEWLINE = 10;
const SPACE = 32;
const EMPTY = Buffer.alloc(0);
const LINE_END = Buffer.from('\n');
const GAP = Buffer.from(
  'hawser: lines may be missing here: the connection was lost, and the log was rotated or begun anew\n',
);

/**
 * The lines of a container's log as they pass: knows where it is, so that a log whose tunnel was lost goes on where it
 * was, no line twice and none left out. The edge always writes timestamps; they are taken away here where the client
 * did not ask for them.
 *
 * The position is the last timestamp, how many lines with it have passed, and how much of an unfinished one. Asked
 * again from that timestamp on, the edge begins with those, and they are passed over. Bytes go on at once: a line of
 * any length is never held back, beyond its timestamp.
 */
export class LogLines {
  readonly #strip: boolean;
  readonly #onGap: () => void;
  #limitLeft: number;
  /** The beginning of a line, until its timestamp is whole. */
  #head: Buffer = EMPTY;
  #line: Line | undefined;
  #timestamp: string | undefined;
  #complete = 0;
  #resume: Resume | undefined;
  /** Whether the client's last byte is within a line. */
  #within = false;

  constructor({ strip, limitBytes = Infinity, onGap = () => {} }: LogLinesOptions) {
    this.#strip = strip;
    this.#onGap = onGap;
    this.#limitLeft = limitBytes;
  }

  /** Timestamp of the last line, as the edge wrote it; undefined: none has passed, and asking the same again is right. */
  get timestamp(): string | undefined {
    return this.#timestamp;
  }

  /** Whether as much has passed as the client wants. */
  get full(): boolean {
    return this.#limitLeft <= 0;
  }

  /** Whether a line is unfinished at the client. */
  get within(): boolean {
    return this.#within;
  }

  /** What follows is an answer to asking again, from {@link timestamp} on. */
  resume(): void {
    const before = this.#resume;
    const line = this.#line;
    this.#head = EMPTY;
    this.#line = undefined;
    if (this.#timestamp === undefined) return;
    this.#resume = {
      timestamp: this.#timestamp,
      instant: instantOf(this.#timestamp) ?? 0n,
      complete: this.#complete,
      // Cut off again before the first resumption had caught up: the client has what it had then.
      open: before === undefined ? openBytes(line) : before.open,
      seen: 0,
    };
  }

  /** Takes bytes of the edge, and answers those for the client. */
  feed(chunk: Buffer): Buffer {
    const out: Buffer[] = [];
    let rest = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = EMPTY;
    while (rest.length > 0 && !this.full) {
      if (this.#line !== undefined) rest = this.#body(this.#line, rest, out);
      else if (isBeginning(rest)) {
        this.#head = Buffer.from(rest);
        break;
      } else rest = this.#begin(rest, out);
    }
    return Buffer.concat(out);
  }

  /** The edge has said all: a beginning that may have been a timestamp is none. */
  end(): Buffer {
    const head = this.#head;
    this.#head = EMPTY;
    const out: Buffer[] = [];
    if (this.#line === undefined && head.length > 0) this.#emit(head, out);
    return Buffer.concat(out);
  }

  #begin(rest: Buffer, out: Buffer[]): Buffer {
    const end = rest.subarray(0, MAX_TIMESTAMP + 1).indexOf(SPACE);
    const text = end === -1 ? '' : rest.toString('latin1', 0, end);
    if (!TIMESTAMP.test(text)) {
      this.#line = { timestamp: undefined, continued: false, skip: 0, length: 0 };
      return rest;
    }
    const line = this.#stamped(text, out);
    this.#line = line;
    if (!this.#strip && !line.continued) this.#emit(rest.subarray(0, end + 1), out);
    return rest.subarray(end + 1);
  }

  /** A line with a timestamp begins. */
  #stamped(timestamp: string, out: Buffer[]): Line {
    const skip = this.#resume === undefined ? undefined : this.#skipOf(timestamp, this.#resume, out);
    if (skip === undefined && timestamp !== this.#timestamp) {
      this.#timestamp = timestamp;
      this.#complete = 0;
    }
    return { timestamp, continued: skip !== undefined, skip: skip ?? 0, length: 0 };
  }

  /** Bytes of a line that the client has already; undefined: it is new, and so is all that follows. */
  #skipOf(timestamp: string, resume: Resume, out: Buffer[]): number | undefined {
    const isSame = timestamp === resume.timestamp;
    if (!isSame && (instantOf(timestamp) ?? 0n) < resume.instant) return Infinity;
    if (isSame) {
      resume.seen += 1;
      if (resume.seen <= resume.complete) return Infinity;
    }
    this.#resume = undefined;
    if (isSame && resume.open !== undefined) return resume.open;
    if (this.#within) this.#emit(LINE_END, out);
    if (resume.seen < resume.complete || resume.open !== undefined) {
      this.#emit(GAP, out);
      this.#onGap();
    }
    return undefined;
  }

  #body(line: Line, rest: Buffer, out: Buffer[]): Buffer {
    const at = rest.indexOf(NEWLINE);
    const body = at === -1 ? rest : rest.subarray(0, at + 1);
    const skipped = Math.min(line.skip, body.length);
    line.skip -= skipped;
    line.length += at === -1 ? body.length : at;
    this.#emit(body.subarray(skipped), out);
    if (at !== -1) {
      const isNew = line.skip !== Infinity;
      if (line.timestamp !== undefined && isNew) this.#complete += 1;
      this.#line = undefined;
    }
    return rest.subarray(body.length);
  }

  #emit(bytes: Buffer, out: Buffer[]): void {
    const passed = bytes.subarray(0, Math.min(bytes.length, this.#limitLeft));
    if (passed.length === 0) return;
    this.#limitLeft -= passed.length;
    this.#within = passed.at(-1) !== NEWLINE;
    out.push(passed);
  }
}

/** Whether this may be a timestamp of which the end has not come yet. */
function isBeginning(rest: Buffer): boolean {
  return rest.length <= MAX_TIMESTAMP && !rest.includes(SPACE) && !rest.includes(NEWLINE);
}

/** Bytes of an unfinished line that the client has; undefined: none is. */
function openBytes(line: Line | undefined): number | undefined {
  return line?.timestamp === undefined ? undefined : line.length + line.skip;
}

/** Nanoseconds since 1970; undefined where it is no timestamp. */
function instantOf(timestamp: string): bigint | undefined {
  const match = TIMESTAMP.exec(timestamp);
  if (match === null) return undefined;
  const [, seconds = '', fraction = '', zone = ''] = match;
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
