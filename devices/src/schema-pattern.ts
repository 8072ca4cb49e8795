import { createContext, Script, type Context } from 'node:vm';
import { DeviceError } from './errors.ts';

/** Longest pattern in a schema, characters. */
const PATTERN_MAX = 1000;
/** A text is matched for at most so long, milliseconds, where a pattern could take for ever. */
const MATCH_MS_MAX = 50;

/** A group that is repeated, whose inside is repeated or has alternatives; or a back reference. */
const NESTED = /[*+?}|][^()]*\)\s*(?:[*+]|\{\d+,\d*\})|\\[1-9]|\\k</;
const UNBOUNDED = /[*+]|\{\d+,\}/g;

let context: Context | undefined;
const matcher = new Script('expression.test(text)');

/** What the validator wants of an engine for patterns. */
interface PatternTester {
  test(text: string): boolean;
  toString(): string;
}

/**
 * A regular expression that cannot hold up the process: one that may need exponential time, or the third power of a
 * text's length, is matched under a time limit (about 0.1 ms dearer).
 * @throws DeviceError `ERR_DEVICES_SCHEMA`: longer than 1,000 characters; from `test`: the time was up
 * @throws SyntaxError no regular expression
 */
export function boundedPattern(source: string, flags: string): PatternTester {
  if (source.length > PATTERN_MAX) {
    const message = `a pattern of ${String(source.length)} characters, most ${String(PATTERN_MAX)}`;
    throw new DeviceError('ERR_DEVICES_SCHEMA', message);
  }
  const expression = new RegExp(source, flags);
  if (isTame(source)) return expression;
  return { test: (text) => testInTime(expression, text), toString: () => String(expression) };
}
boundedPattern.code = 'boundedPattern';

/** Errs on the other side: a pattern that is tame may be called wild, and is slower then. */
function isTame(source: string): boolean {
  return !hasNestedRepeats(source) && (source.match(UNBOUNDED) ?? []).length <= 2;
}

function hasNestedRepeats(source: string): boolean {
  return NESTED.test(source) || /\)[*+]|\)\{\d+,\d*\}/.test(source);
}

function testInTime(expression: RegExp, text: string): boolean {
  context ??= createContext(Object.create(null) as object);
  context['expression'] = expression;
  context['text'] = text;
  try {
    return matcher.runInContext(context, { timeout: MATCH_MS_MAX }) === true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
    throw new DeviceError('ERR_DEVICES_SCHEMA', `the pattern ${String(expression)} took too long`, {
      cause: error,
    });
  } finally {
    context['text'] = undefined;
  }
}
