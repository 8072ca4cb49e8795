/** Where a member of an object stands in its JSON, from the quote of its name to behind its value. */
export interface JsonMember {
  readonly from: number;
  /** First byte of the value. */
  readonly value: number;
  readonly to: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/**
 * The members of one object in canonical JSON (no white space), found without parsing what they hold.
 * @param bytes UTF-8; has to be well formed, as contents of a replica are
 * @param at its opening brace
 */
export function jsonMembers(bytes: Uint8Array, at: number): ReadonlyMap<string, JsonMember> {
  const members = new Map<string, JsonMember>();
  walk(bytes, at, (name, member) => {
    members.set(name, member);
    return true;
  });
  return members;
}

/** One member of an object, undefined where it has none of that name. */
export function jsonMember(bytes: Uint8Array, at: number, name: string): JsonMember | undefined {
  let found: JsonMember | undefined;
  walk(bytes, at, (other, member) => {
    if (other === name) found = member;
    return found === undefined;
  });
  return found;
}

/** Calls with each member, until it is answered with false. */
function walk(bytes: Uint8Array, at: number, visit: (name: string, member: JsonMember) => boolean): void {
  let from = at + 1;
  while (from < bytes.length && bytes[from] === QUOTE) {
    const nameEnd = behindString(bytes, from);
    const value = nameEnd + 1;
    const to = behindValue(bytes, value);
    if (!visit(textOf(bytes, from + 1, nameEnd - 1), { from, value, to }) || bytes[to] !== COMMA) return;
    from = to + 1;
  }
}

/** Text of a part of UTF-8 bytes. */
export function textOf(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8');
}

function behindString(bytes: Uint8Array, quote: number): number {
  let at = quote + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function behindValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return behindString(bytes, start);
  let at = start;
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    let depth = 0;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === QUOTE) {
        at = behindString(bytes, at);
        continue;
      }
      at += 1;
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        depth -= 1;
        if (depth === 0) return at;
      }
    }
    return at;
  }
  while (at < bytes.length && bytes[at] !== COMMA && bytes[at] !== CLOSE_BRACE) at += 1;
  return at;
}
