import type { MapperDefinition } from './mapper-definition.ts';

/** What a definition is, or all that is wrong with it. */
export type ParsedDefinition =
  { readonly definition: MapperDefinition } | { readonly problems: readonly string[] };

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const USER = /^([a-z_][-a-z0-9_]*\$?|\d+)?$/;
const TOPIC_FILTER = /^([^+#\0]*|\+)(\/([^+#\0]*|\+))*(\/#)?$|^#$/;
const MEMORY = /^(\d+)(Ki|Mi|Gi)?$/;
const UNIT_BYTES: Readonly<Record<string, number>> = { Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };
/** Far above what any mapper needs. */
const MAX_MESSAGES_PER_SECOND = 100_000;
const DEFAULT_MESSAGES_PER_SECOND = 2_000;
const MAX_ITEMS = 100;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Looks at a definition as it was read from YAML. Fields that are not known are problems: most are misspelt.
 * @param name of the file, without its ending
 */
export function parseDefinition(name: string, value: unknown): ParsedDefinition {
  const reader = new Reader();
  if (!LABEL.test(name)) reader.problem('', `the name of the file, ${name}, is no DNS label`);
  const fields = reader.fields('', value, ['protocols', 'topics', 'run', 'messagesPerSecond']);
  const topics = reader.fields('topics', fields['topics'] ?? {}, ['publish', 'subscribe']);
  const definition: MapperDefinition = {
    name,
    protocols: reader.texts('protocols', fields['protocols'], LABEL, 'a DNS label in lower case'),
    topics: {
      publish: reader.texts('topics.publish', topics['publish'], TOPIC_FILTER, 'a topic filter'),
      subscribe: reader.texts('topics.subscribe', topics['subscribe'], TOPIC_FILTER, 'a topic filter'),
    },
    run: fields['run'] === undefined ? undefined : readRun(reader, fields['run']),
    messagesPerSecond: reader.rate('messagesPerSecond', fields['messagesPerSecond']),
  };
  return reader.problems.length === 0 ? { definition } : { problems: reader.problems };
}

function readRun(reader: Reader, value: unknown): NonNullable<MapperDefinition['run']> {
  const run = reader.fields('run', value, ['command', 'env', 'user', 'memoryMax']);
  const command = reader.texts('run.command', run['command'], /^[^\0]+$/, 'a text that is not empty');
  if (command.length === 0)
    reader.problem('run.command', 'the program is missing: `command: [/usr/bin/node, …]`');
  const user = textOf(run['user'] ?? '');
  if (!USER.test(user)) reader.problem('run.user', `${user} is not the name or number of a user`);
  return {
    command,
    env: reader.env('run.env', run['env']),
    user,
    memoryMaxBytes: reader.memory('run.memoryMax', run['memoryMax']),
  };
}

/** Reads fields, and collects what is wrong with them. */
class Reader {
  readonly problems: string[] = [];

  problem(path: string, what: string): void {
    this.problems.push(path === '' ? what : `${path}: ${what}`);
  }

  fields(path: string, value: unknown, known: readonly string[]): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem(path, 'is not a map');
      return {};
    }
    for (const key of Object.keys(value).filter((each) => !known.includes(each)))
      this.problem(path, `${key} is not known; known are ${known.join(', ')}`);
    return value as Fields; // an object, by the checks above
  }

  texts(path: string, value: unknown, pattern: RegExp, is: string): readonly string[] {
    if (value === undefined) return [];
    if (!Array.isArray(value) || value.length > MAX_ITEMS) {
      this.problem(path, `is not a list of at most ${MAX_ITEMS}`);
      return [];
    }
    return value.map((item: unknown, index) => {
      const text = typeof item === 'number' ? String(item) : item;
      if (typeof text === 'string' && pattern.test(text)) return text;
      this.problem(`${path}[${index}]`, `${JSON.stringify(item)} is not ${is}`);
      return '';
    });
  }

  env(path: string, value: unknown): Readonly<Record<string, string>> {
    const fields = value === undefined ? {} : this.fields(path, value, Object.keys(value ?? {}));
    const entries = Object.entries(fields).map(([name, text]) => {
      if (!ENV_NAME.test(name)) this.problem(`${path}.${name}`, 'is no name of a variable');
      if (!['string', 'number', 'boolean'].includes(typeof text))
        this.problem(`${path}.${name}`, 'is not a text');
      return [name, String(text)];
    });
    return Object.fromEntries(entries) as Readonly<Record<string, string>>; // both are texts
  }

  memory(path: string, value: unknown): number {
    if (value === undefined) return 0;
    const [, amount = '', unit = ''] = MEMORY.exec(textOf(value)) ?? [];
    const bytes = Number(amount) * (UNIT_BYTES[unit] ?? 1);
    if (amount === '' || !Number.isSafeInteger(bytes)) this.problem(path, `${textOf(value)} is not as 64Mi`);
    return bytes;
  }

  rate(path: string, value: unknown): number {
    if (value === undefined) return DEFAULT_MESSAGES_PER_SECOND;
    if (Number.isInteger(value) && Number(value) >= 1 && Number(value) <= MAX_MESSAGES_PER_SECOND)
      return Number(value);
    this.problem(path, `${JSON.stringify(value)} is not a whole number from 1 to ${MAX_MESSAGES_PER_SECOND}`);
    return DEFAULT_MESSAGES_PER_SECOND;
  }
}

/** As it was written, or as JSON where it is no text. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
