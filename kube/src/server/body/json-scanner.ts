/** A key of an object that stands twice, or any key: where it was seen. */
export interface SeenKey {
  /** E.g. `spec.containers[0].name`. */
  readonly path: string;
  /** Offset in the text, in UTF-16 units: for putting findings in document order. */
  readonly offset: number;
  /** Whether an earlier key of the same object has the same name. */
  readonly duplicate: boolean;
}

/** Far deeper than any object, and far from the end of the stack. (Go's decoder goes to 10,000.) */
const MAX_DEPTH = 1000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LITERALS = { t: 'true', f: 'false', n: 'null' } as const;

/**
 * Walks a JSON text for what `JSON.parse` does not tell: keys that stand twice, and the words that Go has for a
 * syntax error. `onKey` sees each key; keys are only collected where somebody asks.
 * Source of the wording: Go encoding/json scanner.go.
 */
export class JsonScanner {
  readonly #text: string;
  readonly #onKey: ((key: SeenKey) => void) | undefined;
  #at = 0;
  #depth = 0;

  constructor(text: string, onKey?: (key: SeenKey) => void) {
    this.#text = text;
    this.#onKey = onKey;
  }

  /**
   * Reads the whole text.
   * @throws SyntaxError with Go's message.
   */
  scan(): void {
    this.#space();
    this.#value('');
    this.#space();
    if (this.#at < this.#text.length) throw this.#unexpected('after top-level value');
  }

  #value(path: string): void {
    const char = this.#text.charAt(this.#at);
    switch (char) {
      case '{':
        this.#nested(() => this.#object(path));
        return;
      case '[':
        this.#nested(() => this.#array(path));
        return;
      case '"':
        this.#string();
        return;
      case 't':
      case 'f':
      case 'n':
        this.#literal(LITERALS[char]);
        return;
      default:
        if (char === '-' || isDigit(char)) this.#number();
        else throw this.#unexpected('looking for beginning of value');
    }
  }

  #nested(read: () => void): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new SyntaxError('exceeded max depth');
    this.#at += 1;
    this.#space();
    read();
    this.#depth -= 1;
  }

  #object(path: string): void {
    const seen = this.#onKey === undefined ? undefined : new Set<string>();
    if (this.#take('}')) return;
    while (true) {
      if (this.#text.charAt(this.#at) !== '"')
        throw this.#unexpected('looking for beginning of object key string');
      const offset = this.#at;
      const key = this.#string();
      const keyPath = path === '' ? key : `${path}.${key}`;
      if (seen !== undefined) {
        this.#onKey?.({ path: keyPath, offset, duplicate: seen.has(key) });
        seen.add(key);
      }
      this.#space();
      if (!this.#take(':')) throw this.#unexpected('after object key');
      this.#space();
      this.#value(keyPath);
      this.#space();
      if (this.#take('}')) return;
      if (!this.#take(',')) throw this.#unexpected('after object key:value pair');
      this.#space();
    }
  }

  #array(path: string): void {
    if (this.#take(']')) return;
    for (let index = 0; ; index += 1) {
      this.#value(this.#onKey === undefined ? '' : `${path}[${index}]`);
      this.#space();
      if (this.#take(']')) return;
      if (!this.#take(',')) throw this.#unexpected('after array element');
      this.#space();
    }
  }

  /** Reads a string; the decoded value is only made where keys are collected. */
  #string(): string {
    const start = this.#at;
    this.#at += 1;
    while (true) {
      const code = this.#text.charCodeAt(this.#at);
      if (Number.isNaN(code)) throw this.#unexpected('in string literal');
      if (code === QUOTE) break;
      if (code < 0x20) throw this.#unexpected('in string literal');
      this.#at += 1;
      if (code === BACKSLASH) this.#escape();
    }
    this.#at += 1;
    return this.#onKey === undefined ? '' : (JSON.parse(this.#text.slice(start, this.#at)) as string);
  }

  #escape(): void {
    const char = this.#text.charAt(this.#at);
    if (char === '' || !'"\\/bfnrtu'.includes(char)) throw this.#unexpected('in string escape code');
    this.#at += 1;
    if (char !== 'u') return;
    for (let count = 0; count < 4; count += 1) {
      if (!/[0-9a-fA-F]/.test(this.#text.charAt(this.#at))) {
        throw this.#unexpected('in \\u hexadecimal character escape');
      }
      this.#at += 1;
    }
  }

  #literal(word: string): void {
    for (const expected of word) {
      if (this.#text.charAt(this.#at) !== expected) {
        throw this.#unexpected(`in literal ${word} (expecting ${quoteChar(expected)})`);
      }
      this.#at += 1;
    }
  }

  #number(): void {
    this.#take('-');
    if (!this.#take('0')) this.#digits('in numeric literal');
    if (this.#take('.')) this.#digits('after decimal point in numeric literal');
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-');
      this.#digits('in exponent of numeric literal');
    }
  }

  #digits(context: string): void {
    if (!isDigit(this.#text.charAt(this.#at))) throw this.#unexpected(context);
    while (isDigit(this.#text.charAt(this.#at))) this.#at += 1;
  }

  #space(): void {
    while (true) {
      const char = this.#text.charAt(this.#at);
      if (char !== ' ' && char !== '\n' && char !== '\t' && char !== '\r') return;
      this.#at += 1;
    }
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at += 1;
    return true;
  }

  #unexpected(context: string): SyntaxError {
    if (this.#at >= this.#text.length) return new SyntaxError('unexpected end of JSON input');
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0xfffd);
    return new SyntaxError(`invalid character ${quoteChar(char)} ${context}`);
  }
}

function isDigit(char: string): boolean {
  return char >= '0' && char <= '9' && char !== '';
}

function quoteChar(char: string): string {
  if (char === "'") return `'\\''`;
  if (char === '"') return `'"'`;
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}

/** Texts that are no longer than this cannot be so deep that it matters. */
const SHALLOW_LENGTH = 10_000;

/**
 * Parses JSON.
 * @throws SyntaxError with Go's message; also for what is nested so deeply that walking it could end the stack.
 */
export function parseJson(text: string): unknown {
  if (text.length > SHALLOW_LENGTH && depthOf(text) > MAX_DEPTH) throw new SyntaxError('exceeded max depth');
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    new JsonScanner(text).scan();
    throw error; // only if V8 and the scanner disagree
  }
}

/** How deeply arrays and objects are nested, of a text that may be no JSON. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let index = 0; index < text.length; index += 1) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > deepest) deepest = depth;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      default:
    }
  }
  return deepest;
}

/** Where the string that begins at `start` ends. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === BACKSLASH) index += 1;
    else if (code === QUOTE) return index;
  }
  return text.length;
}

/** The keys that stand twice, in document order. */
export function duplicateKeys(text: string): SeenKey[] {
  const duplicates: SeenKey[] = [];
  new JsonScanner(text, (key) => {
    if (key.duplicate) duplicates.push(key);
  }).scan();
  return duplicates;
}

/**
 * What a strict decoder says of a text: `unknown field "a.b"` for each of `unknownPaths`, `duplicate field "c"` for
 * each key that stands twice; in document order.
 */
export function strictProblems(text: string, unknownPaths: readonly string[]): string[] {
  const unknown = new Set(unknownPaths);
  const problems: string[] = [];
  new JsonScanner(text, ({ path, duplicate }) => {
    if (unknown.delete(path)) problems.push(`unknown field "${path}"`);
    else if (duplicate) problems.push(`duplicate field "${path}"`);
  }).scan();
  return [...problems, ...[...unknown].map((path) => `unknown field "${path}"`)];
}
