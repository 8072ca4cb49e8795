import { isPlainObject } from '../meta/json.ts';

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\u000b': '\\v',
};

/**
 * A string as Go's `%q` prints it: the API's messages quote names and values that way.
 * Source: Go strconv.Quote.
 */
export function goQuote(text: string): string {
  let quoted = '"';
  for (const char of text) {
    const short = SHORT_ESCAPES[char];
    quoted += short ?? (isPrintable(char) ? char : escapeRune(char));
  }
  return `${quoted}"`;
}

function isPrintable(char: string): boolean {
  return char === ' ' || !/[\p{C}\p{Z}]/u.test(char);
}

function escapeRune(char: string): string {
  const rune = char.codePointAt(0) ?? 0xfffd;
  if (rune >= 0xd800 && rune <= 0xdfff) return '\\ufffd';
  if (rune < 0x80) return `\\x${rune.toString(16).padStart(2, '0')}`;
  return rune < 0x10000
    ? `\\u${rune.toString(16).padStart(4, '0')}`
    : `\\U${rune.toString(16).padStart(8, '0')}`;
}

/** A value as Go's `encoding/json` prints it: keys of maps sorted; `<`, `>`, `&`, U+2028 and U+2029 escaped. */
export function goJson(value: unknown): string {
  return JSON.stringify(sortKeys(value)).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isPlainObject(value)) return value ?? null;
  const keys = Object.keys(value).sort();
  return Object.fromEntries(keys.map((key) => [key, sortKeys(value[key])]));
}

/** A value as Go's `%v` prints it inside of maps and slices: `map[a:1 b:[2 3]]`. */
export function goValue(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`;
  if (isPlainObject(value)) {
    const pairs = Object.keys(value)
      .sort()
      .map((key) => `${key}:${goValue(value[key])}`);
    return `map[${pairs.join(' ')}]`;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
