import { isPlainObject } from '../../../src/meta/json.ts';

/** What was learned of values that differ from run to run: recorded → ours. */
export interface LearnedValues {
  readonly strings: Map<string, string>;
  readonly numbers: Map<number, number>;
}

/** How to compare. */
export interface ComparisonOptions {
  readonly learned: LearnedValues;
  /** The recorder cut the answer: what it kept must be there, more may be. */
  readonly subset: boolean;
  /** Errors of a schema come in the random order of Go's maps: only which there are is compared. */
  readonly unorderedErrors: boolean;
}

const IGNORED_KEYS = new Set(['managedFields', 'creationTimestamp', 'trimmedByRecorder']);
/** Values that are made anew in each run; they are learned, and must be there on both sides or on neither. */
const FRESH_KEYS = new Set(['uid', 'resourceVersion', 'continue', 'clusterIP', 'nodePort', 'credential-id']);
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const TRIMMED = '<trimmed>';
const REDACTED = new Set(['<redacted>', '<host:port>', 'JTI=<redacted>']);
const ACCESS_VOLUME = /^kube-api-access-[a-z0-9]{5}$/;
const AGO = /^\d+[smhdy]\d*[smhdy]?$|^0s$/;

/** Every difference between a recorded value and ours, as `path: recorded ≠ ours`. */
export function differences(expected: unknown, actual: unknown, options: ComparisonOptions): string[] {
  const found: string[] = [];
  new Comparer(options, found).compare('', '', expected, actual);
  return found;
}

class Comparer {
  readonly #options: ComparisonOptions;
  readonly #found: string[];

  constructor(options: ComparisonOptions, found: string[]) {
    this.#options = options;
    this.#found = found;
  }

  compare(path: string, key: string, expected: unknown, actual: unknown): void {
    if (IGNORED_KEYS.has(key) || expected === TRIMMED || REDACTED.has(expected as string)) return;
    if (Array.isArray(expected) && Array.isArray(actual)) this.#arrays(path, key, expected, actual);
    else if (isPlainObject(expected) && isPlainObject(actual)) this.#objects(path, expected, actual);
    else if (!this.#same(key, expected, actual)) {
      this.#found.push(`${path}: ${shown(expected)} ≠ ${shown(actual)}`);
    }
  }

  #objects(path: string, expected: Record<string, unknown>, actual: Record<string, unknown>): void {
    const keys = new Set(Object.keys(expected));
    if (!this.#options.subset && !isReduced(expected)) for (const key of Object.keys(actual)) keys.add(key);
    for (const key of keys) this.compare(`${path}.${key}`, key, expected[key], actual[key]);
  }

  #arrays(path: string, key: string, recorded: readonly unknown[], ours: readonly unknown[]): void {
    const unordered = key === 'causes' && this.#options.unorderedErrors;
    const expected = unordered ? sorted(recorded) : recorded;
    const actual = unordered ? sorted(ours) : ours;
    const named = this.#options.subset && expected.every((item) => identity(item) !== undefined);
    if (named && key !== 'rows') {
      for (const item of expected) {
        const match = actual.find((candidate) => identity(candidate) === identity(item));
        this.compare(`${path}[${identity(item) ?? ''}]`, '', item, match);
      }
      return;
    }
    if (expected.length !== actual.length && !(this.#options.subset && key === 'paths')) {
      this.#found.push(`${path}: ${expected.length} items ≠ ${actual.length}`);
      return;
    }
    if (this.#options.subset && key === 'paths') {
      const missing = expected.filter((item) => !actual.includes(item));
      if (missing.length > 0) this.#found.push(`${path}: missing ${JSON.stringify(missing)}`);
      return;
    }
    expected.forEach((item, index) => this.compare(`${path}[${index}]`, key, item, actual[index]));
  }

  #same(key: string, expected: unknown, actual: unknown): boolean {
    if (expected === actual) return true;
    if (typeof expected === 'number' && typeof actual === 'number' && FRESH_KEYS.has(key)) {
      this.#options.learned.numbers.set(expected, actual);
      return true;
    }
    if (typeof expected !== 'string' || typeof actual !== 'string') return false;
    if (FRESH_KEYS.has(key) || key === 'clusterIPs') {
      if (expected === '' || actual === '') return false;
      this.#options.learned.strings.set(expected, actual);
      return true;
    }
    if (TIME.test(expected) && TIME.test(actual)) return true;
    if (ACCESS_VOLUME.test(expected) && ACCESS_VOLUME.test(actual)) {
      this.#options.learned.strings.set(expected, actual);
      return true;
    }
    if (key === 'name' && /^gen-[a-z0-9]{5}$/.test(expected))
      return /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/.test(actual);
    if (key === 'cells' && AGO.test(expected) && AGO.test(actual)) return true;
    if (key === 'body' && expected.startsWith('apiVersion:')) return yamlText(expected) === yamlText(actual);
    if (key === 'message' && this.#options.unorderedErrors) return errorsOf(expected) === errorsOf(actual);
    return (
      this.#message(expected) === this.#message(actual) ||
      this.#message(this.#translated(expected)) === this.#message(actual)
    );
  }

  #translated(text: string): string {
    let translated = text;
    for (const [recorded, ours] of this.#options.learned.strings) {
      if (recorded.length < 4) continue;
      translated = translated.split(recorded).join(ours);
    }
    return translated;
  }

  /** A message without what the recordings' README says to ignore in messages. */
  #message(text: string): string {
    return text
      .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, 'UID')
      .replace(/(resource version: )\d+( \(\d+\)|, current: \d+)/g, '$1N')
      .replace(/(ResourceVersion in (?:record|the precondition) )\(\d+\)/g, '$1(N)')
      .replace(/in scheme "[^"]*"/g, 'in scheme')
      .replace(/Go (?:struct field|value of type) .*$/g, 'Go type');
  }
}

function shown(value: unknown): string {
  return value === undefined ? 'absent' : JSON.stringify(value);
}

function sorted(values: readonly unknown[]): readonly unknown[] {
  return values
    .map((value) => JSON.stringify(value))
    .sort()
    .map((text) => JSON.parse(text) as unknown);
}

/** The errors of a message, sorted. */
function errorsOf(message: string): string {
  return message
    .replace(/^.* is invalid: /, '')
    .replace(/[[\]]/g, '')
    .split(', ')
    .sort()
    .join(', ');
}

/** The recorder reduced some items of lists to their names. */
function isReduced(expected: Record<string, unknown>): boolean {
  const { metadata } = expected;
  const keys = Object.keys(expected);
  if (keys.length === 1 && keys[0] === 'name') return true;
  return keys.length === 1 && isPlainObject(metadata) && Object.keys(metadata).join() === 'name';
}

/** YAML without the lines that are ignored in JSON. */
function yamlText(text: string): string {
  return text
    .replace(/ {2}managedFields:\n(?: {2}- .*\n(?: {4,}.*\n)*)+/g, '')
    .replace(/(creationTimestamp|resourceVersion|uid): .*/g, '$1');
}

/** What tells an item of a list apart, where the recorder left items out. */
function identity(item: unknown): string | undefined {
  if (!isPlainObject(item)) return undefined;
  const { name, resource, subresource, version, groupVersion, metadata } = item;
  if (typeof subresource === 'string') return subresource;
  for (const candidate of [name, resource, groupVersion, version])
    if (typeof candidate === 'string') return candidate;
  if (isPlainObject(metadata)) return typeof metadata['name'] === 'string' ? metadata['name'] : '';
  return undefined;
}
