import { MAX_OUTPUT_BYTES } from './probe-outcome.ts';

const MAX_HEAD_BYTES = 32 * 1024;
/** Of a body in chunks, whose sizes come between them. */
const MAX_RAW_BYTES = 64 * 1024;
const NEWLINE = 0x0a;
const HEAD_END = /\r?\n\r?\n/;
const STATUS_LINE = /^HTTP\/1\.[01] (\d{3})(?:[ \r\n]|$)/;
const CHUNK_SIZE = /^[0-9a-f]{1,8}(?=[ \t;\r\n])/i;

/** What came back for a request. */
export interface HttpAnswer {
  readonly status: number;
  /** Its first 10 KiB. */
  readonly body: string;
  readonly location: string | undefined;
}

/** The head of an answer. */
interface Head {
  readonly status: number;
  readonly location: string | undefined;
  /** Bytes of the body; undefined: until the connection ends; `chunked`: its chunks say so. */
  readonly length: number | 'chunked' | undefined;
}

/**
 * Reads one answer of HTTP/1.1 from whatever pieces it comes in, and of its body as much as a probe may show. What
 * remains of the connection is of no interest, and neither are most headers. Probes are what an edge does most often:
 * with Node's own client a hundred pods take a quarter more of a processor. Source: RFC 9112, sections 2 to 7.
 */
export class HttpAnswerReader {
  #head: Head | undefined;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /**
   * Takes bytes; answers what they are once there is enough of them.
   * @throws Error where they are no HTTP
   */
  push(piece: Buffer): HttpAnswer | undefined {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    // In pieces of a byte, a head would be looked through for each of them.
    const isLookedAt = this.#head !== undefined || this.#bytes > MAX_HEAD_BYTES || piece.includes(NEWLINE);
    return isLookedAt ? this.#read() : undefined;
  }

  /**
   * The connection has ended: the answer, where that is what ends it.
   * @throws Error where something is missing
   */
  end(): HttpAnswer {
    if (this.#head === undefined) throw new Error(this.#bytes === 0 ? 'EOF' : 'unexpected EOF');
    if (this.#head.length !== undefined) throw new Error('unexpected EOF');
    return answerOf(this.#head, this.#joined());
  }

  #read(): HttpAnswer | undefined {
    while (this.#head === undefined) {
      const joined = this.#joined();
      const text = joined.toString('latin1');
      const end = HEAD_END.exec(text);
      if (end === null) {
        if (joined.length > MAX_HEAD_BYTES) throw new Error('the headers of the answer are too long');
        if (joined.length > 0 && !'HTTP/1.'.startsWith(text.slice(0, 7)))
          throw new Error('malformed HTTP response');
        return undefined;
      }
      const head = headOf(text.slice(0, end.index));
      this.#keep(joined.subarray(end.index + end[0].length));
      // There is more to come: 100 Continue, 103 Early Hints.
      if (head.status >= 200 || head.status === 101) this.#head = head;
    }
    return this.#body(this.#head);
  }

  #body(head: Head): HttpAnswer | undefined {
    if (head.length === 'chunked') {
      const { body, isComplete } = unchunked(this.#joined());
      const isEnough = isComplete || body.length >= MAX_OUTPUT_BYTES || this.#bytes > MAX_RAW_BYTES;
      return isEnough ? answerOf(head, body) : undefined;
    }
    const wanted = Math.min(head.length ?? Infinity, MAX_OUTPUT_BYTES);
    return this.#bytes >= wanted ? answerOf(head, this.#joined().subarray(0, wanted)) : undefined;
  }

  #joined(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const joined = Buffer.concat(this.#pieces);
    this.#pieces = [joined];
    return joined;
  }

  #keep(rest: Buffer): void {
    this.#pieces = [rest];
    this.#bytes = rest.length;
  }
}

function headOf(text: string): Head {
  const status = Number(STATUS_LINE.exec(text)?.[1] ?? 0);
  if (status < 100) throw new Error('malformed HTTP response');
  const isChunked = /(?:^|,)\s*chunked\s*$/i.test(valueOf(text, 'transfer-encoding') ?? '');
  const length = valueOf(text, 'content-length');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) throw new Error('bad Content-Length');
  const isEmpty = status < 200 || status === 204 || status === 304;
  return {
    status,
    location: valueOf(text, 'location'),
    length: isEmpty ? 0 : isChunked ? 'chunked' : length === undefined ? undefined : Number(length),
  };
}

/** The first one of that name. */
function valueOf(head: string, name: string): string | undefined {
  for (const line of head.split('\n')) {
    const colon = line.indexOf(':');
    if (colon === name.length && line.slice(0, colon).toLowerCase() === name)
      return line.slice(colon + 1).trim();
  }
  return undefined;
}

function unchunked(raw: Buffer): { readonly body: Buffer; readonly isComplete: boolean } {
  const chunks: Buffer[] = [];
  for (let at = 0; ;) {
    const lineEnd = raw.indexOf('\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(chunks), isComplete: false };
    const size = CHUNK_SIZE.exec(raw.toString('latin1', at, lineEnd + 1));
    if (size === null) throw new Error('malformed chunked encoding');
    const bytes = Number.parseInt(size[0], 16);
    if (bytes === 0) return { body: Buffer.concat(chunks), isComplete: true };
    const start = lineEnd + 1;
    chunks.push(raw.subarray(start, start + bytes));
    at = start + bytes + (raw[start + bytes] === 0x0d ? 2 : 1);
    if (at > raw.length) return { body: Buffer.concat(chunks), isComplete: false };
  }
}

function answerOf({ status, location }: Head, body: Buffer): HttpAnswer {
  return { status, location, body: body.toString('utf8', 0, Math.min(body.length, MAX_OUTPUT_BYTES)) };
}
