import { isPlainObject } from '../../meta/json.ts';

/** One step of a path: values in, values out. */
type Step = (value: unknown) => readonly unknown[];

const MEMBER = /^\.([A-Za-z_$][\w$-]*(?:\\\.[\w$-]+)*)/;
const QUOTED = /^\[(['"])((?:(?!\1).)*)\1\]/;
const INDEX = /^\[(-?\d+)\]/;
const ALL = /^(?:\[\*\]|\.\*)/;
const FILTER = /^\[\?\(@\.([\w.$-]+)\s*(==|!=)\s*(?:(['"])((?:(?!\3).)*)\3|([\w.-]+))\)\]/;

/**
 * A JSONPath, so far as printer columns and the paths of scales use it: members, indices, `*`, and filters that compare
 * a member with a constant. Source: k8s.io/client-go util/jsonpath.
 * @throws SyntaxError for what is not understood.
 */
export class JsonPath {
  readonly #steps: readonly Step[];

  constructor(text: string) {
    this.#steps = parse(text);
  }

  /** Every value that the path leads to; none where something on the way is missing. */
  find(value: unknown): readonly unknown[] {
    let values: readonly unknown[] = [value];
    for (const step of this.#steps) values = values.flatMap((item) => [...step(item)]);
    return values;
  }
}

function parse(text: string): Step[] {
  let rest = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  if (rest.startsWith('$')) rest = rest.slice(1);
  const steps: Step[] = [];
  while (rest !== '') {
    const [length, step] = nextStep(rest);
    if (step === undefined)
      throw new SyntaxError(`${JSON.stringify(text)} is not a JSONPath that can be followed`);
    steps.push(step);
    rest = rest.slice(length);
  }
  return steps;
}

function nextStep(rest: string): [length: number, step: Step | undefined] {
  const all = ALL.exec(rest);
  if (all !== null) return [all[0].length, allOf];
  const named = MEMBER.exec(rest) ?? QUOTED.exec(rest);
  if (named !== null) return [named[0].length, memberOf((named[2] ?? named[1] ?? '').replace(/\\\./g, '.'))];
  const index = INDEX.exec(rest);
  if (index !== null) return [index[0].length, itemAt(Number(index[1]))];
  const filter = FILTER.exec(rest);
  if (filter !== null) {
    const [whole, path = '', operator, , quoted, bare] = filter;
    const expected = quoted ?? bare ?? '';
    return [whole.length, filterBy(path.split('.'), expected, operator === '==')];
  }
  return [0, undefined];
}

const allOf: Step = (value) => {
  if (Array.isArray(value)) return value as unknown[];
  return isPlainObject(value) ? Object.values(value) : [];
};

function memberOf(name: string): Step {
  return (value) => (isPlainObject(value) && Object.hasOwn(value, name) ? [value[name]] : []);
}

function itemAt(index: number): Step {
  return (value) => {
    if (!Array.isArray(value)) return [];
    const item: unknown = value.at(index);
    return item === undefined ? [] : [item];
  };
}

function filterBy(path: readonly string[], expected: string, equal: boolean): Step {
  return (value) => {
    if (!Array.isArray(value)) return [];
    return (value as unknown[]).filter((item) => {
      let member: unknown = item;
      for (const name of path) member = isPlainObject(member) ? member[name] : undefined;
      return member !== undefined && (textOf(member) === expected) === equal;
    });
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
