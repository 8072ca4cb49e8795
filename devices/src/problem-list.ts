import type { Problem } from './problem.ts';
import { shown } from './value-text.ts';

/** A path with one more segment, escaped as RFC 6901 (JSON Pointer) says. */
export function below(path: string, segment: string | number): string {
  return `${path}/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** What anything is, for a message: `a list`, `5`, `"text"`. */
export function described(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : shown(value);
}

/** A JSON object that is not a list. */
export type Fields = Readonly<Record<string, unknown>>;

/** The object that something is; undefined: it is none. */
export function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}

/** Collects what is wrong with an object, and reads from it what is right. null counts as not given. */
export class ProblemList {
  readonly problems: Problem[] = [];

  add(path: string, message: string, remedy: string): void {
    this.problems.push({ path, message, remedy });
  }

  /** The object at a path; undefined: nothing is there, or something else, which is a problem. */
  object(value: unknown, path: string): Fields | undefined {
    return this.#typed(value, path, fieldsOf(value), 'an object');
  }

  list(value: unknown, path: string): readonly unknown[] | undefined {
    return this.#typed(value, path, Array.isArray(value) ? (value as unknown[]) : undefined, 'a list');
  }

  string(value: unknown, path: string): string | undefined {
    const text = typeof value === 'string' ? value : undefined;
    return this.#typed(value, path, text, 'text', 'Put it in quotes.');
  }

  boolean(value: unknown, path: string): boolean | undefined {
    const found = typeof value === 'boolean' ? value : undefined;
    return this.#typed(value, path, found, 'true or false', 'Write true or false, without quotes.');
  }

  /** A whole number within bounds, `of` something: milliseconds. */
  integer(value: unknown, path: string, least: number, most: number, of?: string): number | undefined {
    const what = of === undefined ? 'whole number' : `whole number of ${of}`;
    const remedy = `Write a ${what} from ${String(least)} to ${String(most)}, without quotes.`;
    const found = typeof value === 'number' && Number.isInteger(value) ? value : undefined;
    const number = this.#typed(value, path, found, 'a whole number', remedy);
    if (number === undefined || (number >= least && number <= most)) return number;
    const bound = number < least ? `>= ${String(least)}` : `<= ${String(most)}`;
    this.add(path, `must be ${bound}, is ${String(number)}`, remedy);
    return undefined;
  }

  /** One of some texts. */
  oneOf<T extends string>(value: unknown, path: string, choices: readonly T[]): T | undefined {
    if (value === undefined || value === null) return undefined;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) {
      const all = choices.join(', ');
      this.add(path, `must be one of ${all}, is ${described(value)}`, `Write one of ${all}.`);
    }
    return found;
  }

  #typed<T>(
    value: unknown,
    path: string,
    found: T | undefined,
    kind: string,
    remedy = `Make it ${kind}.`,
  ): T | undefined {
    if (found === undefined && value !== undefined && value !== null)
      this.add(path, `must be ${kind}, is ${described(value)}`, remedy);
    return found;
  }
}
