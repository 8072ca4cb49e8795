/** Flags at the start of a Go pattern: `(?i)`, `(?s)`, `(?m)`. */
const LEADING_FLAGS = /^\(\?([ims]+)\)/;

/**
 * A Go (RE2) regular expression as a JavaScript one. The syntaxes agree in what schemas use; flags at the start,
 * `\A`, `\z` and the classes `[[:alpha:]]` … are translated.
 * @throws SyntaxError for what JavaScript cannot read.
 */
export function goRegExp(pattern: string): RegExp {
  const flags = LEADING_FLAGS.exec(pattern)?.[1] ?? '';
  const translated = pattern
    .replace(LEADING_FLAGS, '')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\(\?P</g, '(?<')
    .replace(/\[:(\w+):\]/g, (whole, name: string) => POSIX_CLASSES[name] ?? whole);
  return new RegExp(translated, flags);
}

const POSIX_CLASSES: Readonly<Record<string, string>> = {
  alnum: 'A-Za-z0-9',
  alpha: 'A-Za-z',
  digit: '0-9',
  lower: 'a-z',
  upper: 'A-Z',
  space: '\\s',
  word: '\\w',
  xdigit: 'A-Fa-f0-9',
};
