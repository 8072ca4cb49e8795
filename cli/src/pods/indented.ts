/** A line of a description: a name and its text, or texts below each other; without a text it is left out. */
export type Entry = readonly [name: string, text: string | readonly string[] | undefined];

/** Lines `name: text`, the texts below each other, further texts of one name under its first. */
export function entryLines(entries: readonly Entry[], indent = ''): string[] {
  const shown = entries.filter(
    (entry): entry is readonly [string, string | readonly string[]] => entry[1] !== undefined,
  );
  const width = Math.max(0, ...shown.map(([name]) => name.length)) + 3;
  return shown.flatMap(([name, text]) => {
    const [first = '<none>', ...rest] = typeof text === 'string' ? [text] : text;
    const head = `${indent}${`${name}:`.padEnd(width)}${first}`;
    return [head.trimEnd(), ...rest.map((line) => `${indent}${' '.repeat(width)}${line}`)];
  });
}

/** Pairs as `name=value`, in the order of their names. */
export function pairs(values: Readonly<Record<string, unknown>> | undefined): readonly string[] {
  return Object.entries(values ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${String(value)}`);
}
