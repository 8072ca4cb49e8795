import { parseDocument } from 'yaml';
import * as z from 'zod'; // as a namespace, of which a bundle takes what is used
import type { Option, OptionTable } from './option.ts';
import { EDGE_OPTIONS, type EdgeConfig } from './options.ts';

/** Where a configuration comes from. */
export interface ConfigSources {
  /** Text of the file, YAML; absent: there is none. */
  readonly yaml?: string;
  /** What the command line says, by `section.name`, as texts; it goes before the file. */
  readonly overrides: Readonly<Record<string, string>>;
}

/** What became of a check: the configuration, or every problem with its path. */
export type CheckedConfig = { readonly config: EdgeConfig } | { readonly problems: readonly string[] };

/** Source: the syntax of label keys in Kubernetes, "Labels and Selectors". */
const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * Checks a configuration against the table of options, all of it at once. This file loads the parsers of YAML and
 * of schemas, 15 MB of memory: it runs in a process of its own (`load-config.ts`), never in the edge.
 */
export function checkConfig(sources: ConfigSources): CheckedConfig {
  const read = readYaml(sources.yaml ?? '');
  if ('problems' in read) return read;
  const { values } = read;
  const wrong = applyOverrides(values, sources.overrides);
  const checked = schemaOf(EDGE_OPTIONS).safeParse(values);
  const problems = [...wrong, ...(checked.error?.issues ?? []).flatMap(problemsOf)];
  if (!checked.success || problems.length > 0) return { problems };
  return { config: checked.data as EdgeConfig }; // the schema was made from the table that the type is made from
}

function readYaml(text: string): { readonly values: unknown } | { readonly problems: readonly string[] } {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    return { problems: document.errors.map((error) => error.message.trim().split('\n')[0] ?? error.code) };
  }
  try {
    return { values: document.toJS({ maxAliasCount: 0 }) ?? {} };
  } catch (error) {
    // Aliases: a few lines can stand for gigabytes, and a configuration has no use for them.
    return { problems: [`the file: ${(error as Error).message}`] };
  }
}

/** Puts what the command line says into the tree; answers what it names that does not exist. */
function applyOverrides(values: unknown, overrides: Readonly<Record<string, string>>): string[] {
  const table: OptionTable = EDGE_OPTIONS;
  const problems: string[] = [];
  if (typeof values !== 'object' || values === null) return problems; // the schema says so
  const tree = values as Record<string, Record<string, unknown>>;
  for (const [at, text] of Object.entries(overrides)) {
    const [section = '', name = ''] = at.split('.', 2);
    const option = table[section]?.[name];
    if (option === undefined) {
      problems.push(`${at}: there is no such option`);
      continue;
    }
    const parsed: unknown =
      option.kind === 'text' || option.kind === 'choice' ? text : parseDocument(text).toJS();
    tree[section] = { ...tree[section], [name]: parsed };
  }
  return problems;
}

function schemaOf(table: OptionTable): z.ZodType {
  const sections = Object.entries(table).map(([section, options]) => {
    const fields = Object.entries(options).map(([name, option]) => [name, fieldOf(option)]);
    // A section that is left out, or empty in YAML (null), has its defaults.
    return [section, z.preprocess((value) => value ?? {}, z.strictObject(Object.fromEntries(fields)))];
  });
  return z.strictObject(Object.fromEntries(sections));
}

function fieldOf(option: Option): z.ZodType {
  switch (option.kind) {
    case 'text':
      return textOf(option.pattern).default(option.default);
    case 'number': {
      const is = `must be a whole number from ${option.min} to ${option.max}`;
      return z.int(is).min(option.min, is).max(option.max, is).default(option.default);
    }
    case 'choice':
      return z
        .enum([...option.choices], `must be one of ${option.choices.join(', ')}`)
        .default(option.default);
    case 'map':
      return z
        .record(z.string().regex(LABEL_KEY, 'is no key of a label or annotation'), textOf(option.pattern))
        .default(option.default);
    case 'free':
      return z.record(z.string(), z.unknown()).default(option.default);
    case 'taints':
      return z
        .array(TAINT)
        .max(64)
        .default([...option.default]);
  }
}

function textOf(pattern: { readonly source: string; readonly is: string } | undefined): z.ZodString {
  const text = z.string('must be a text');
  return pattern === undefined ? text : text.regex(new RegExp(pattern.source), `must be ${pattern.is}`);
}

const TAINT = z.strictObject({
  key: z.string('must be a text').regex(LABEL_KEY, 'is no key of a taint'),
  value: z.string('must be a text').optional(),
  effect: z.enum(
    ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
    'must be NoSchedule, PreferNoSchedule or NoExecute',
  ),
});

function problemsOf(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${at === '' ? key : `${at}.${key}`}: there is no such option`);
  }
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => `${at}: ${message}`);
  return [`${at === '' ? 'the file' : at}: ${issue.message}`];
}
