import { PROPERTIES_MAX, PROPERTY_NAME_MAX } from './limits.ts';
import { below, described, type Fields, type ProblemList } from './problem-list.ts';

/** Control characters break tables and logs; the name of the prototype breaks programs in JavaScript. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const UNUSABLE = /[\u0000-\u001f\u007f]|^__proto__$/;

/** An entry of a list, where it is, and its name. */
export interface NamedEntry {
  readonly name: string;
  readonly path: string;
  readonly fields: Fields;
}

/**
 * The entries of a list whose entries have names. Those without a usable name, and the second of a name, are problems
 * and left out.
 * @param kind what an entry is, for messages: `property`
 */
export function namedEntries(
  list: ProblemList,
  value: unknown,
  path: string,
  kind: string,
): readonly NamedEntry[] {
  const found = list.list(value, path) ?? [];
  if (found.length > PROPERTIES_MAX) {
    const message = `must have at most ${String(PROPERTIES_MAX)} entries, has ${String(found.length)}`;
    list.add(path, message, 'Make several devices of it.');
    return [];
  }
  const indexes = new Map<string, number>();
  const entries: NamedEntry[] = [];
  for (const [index, entry] of found.entries()) {
    const at = below(path, index);
    if (entry === null)
      list.add(at, 'must be an object, is null', `Write the ${kind}, or take the entry out.`);
    const fields = list.object(entry, at);
    if (fields === undefined) continue;
    const name = usableName(list, fields['name'], below(at, 'name'), kind);
    if (name === undefined) continue;
    const before = indexes.get(name);
    if (before === undefined) {
      indexes.set(name, index);
      entries.push({ name, path: at, fields });
    } else {
      const message = `is the name of entry ${String(before)} as well: "${name}"`;
      list.add(below(at, 'name'), message, `Give each ${kind} a name of its own.`);
    }
  }
  return entries;
}

function usableName(list: ProblemList, value: unknown, path: string, kind: string): string | undefined {
  if (value === undefined || value === null || value === '') {
    list.add(path, 'must be given', `Give the ${kind} a name.`);
    return undefined;
  }
  const name = list.string(value, path);
  if (name === undefined) return undefined;
  if (name.length <= PROPERTY_NAME_MAX && !UNUSABLE.test(name)) return name;
  const message =
    name.length > PROPERTY_NAME_MAX
      ? `must have at most ${String(PROPERTY_NAME_MAX)} characters, has ${String(name.length)}`
      : `must be a name without control characters, other than __proto__, is ${described(name)}`;
  list.add(path, message, `Give the ${kind} another name.`);
  return undefined;
}
