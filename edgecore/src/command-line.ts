import { parseArgs } from 'node:util';
import { EDGE_OPTIONS } from './config/options.ts';
import type { OptionTable } from './config/option.ts';
import { EdgeCoreError } from './errors.ts';

/** What the command was asked to do. */
export type Command =
  | { readonly do: 'help' | 'version' }
  | {
      readonly do: 'run';
      /** Path of the configuration file; undefined: none, every option has its default. */
      readonly file: string | undefined;
      /** Texts by `section.name`. */
      readonly overrides: Readonly<Record<string, string>>;
    };

/** Options that have a flag of their own: flag by path. */
function flags(): ReadonlyMap<string, { readonly path: string; readonly meaning: string }> {
  const table: OptionTable = EDGE_OPTIONS;
  const found = Object.entries(table).flatMap(([section, options]) =>
    Object.entries(options).map(
      ([name, { flag, meaning }]) => [flag, { path: `${section}.${name}`, meaning }] as const,
    ),
  );
  return new Map(found.filter((entry): entry is [string, (typeof entry)[1]] => entry[0] !== undefined));
}

/** What `--help` prints. */
export function usage(): string {
  const width = 24;
  const lines = [...flags()].map(([flag, { meaning }]) => `  ${`--${flag} VALUE`.padEnd(width)} ${meaning}`);
  return `Usage: edgecore [--config FILE] [options]

Runs an edge node of Hawser: keeps what the node needs on its disk, and works with the cloud gone.

  ${'--config FILE'.padEnd(width)} Configuration, YAML.
${lines.join('\n')}
  ${'--set PATH=VALUE'.padEnd(width)} Any option of the configuration: --set node.maxPods=50. May be repeated.
  ${'--help'.padEnd(width)} Print this.
  ${'--version'.padEnd(width)} Print the release.

Exit codes: 0 stopped as asked; 1 failed; 2 the command line or the configuration is wrong; 3 this machine has not
joined a cluster.
`;
}

/**
 * Reads the arguments of the command. Values are checked with the configuration.
 * @throws EdgeCoreError `ERR_EDGECORE_CONFIG`
 */
export function parseCommandLine(args: readonly string[]): Command {
  const own = flags();
  const string = { type: 'string' } as const;
  const options = Object.fromEntries([...own.keys()].map((flag) => [flag, string]));
  const values = read(args, {
    ...options,
    config: string,
    set: { type: 'string', multiple: true },
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
  });
  if (values['help'] === true) return { do: 'help' };
  if (values['version'] === true) return { do: 'version' };
  const overrides: Record<string, string> = {};
  for (const assignment of (values['set'] ?? []) as readonly string[]) {
    const at = assignment.indexOf('=');
    if (at < 1)
      throw new EdgeCoreError('ERR_EDGECORE_CONFIG', `--set ${assignment}: it has to be PATH=VALUE`);
    overrides[assignment.slice(0, at)] = assignment.slice(at + 1);
  }
  for (const [flag, { path }] of own) {
    const value = values[flag];
    if (typeof value === 'string') overrides[path] = value;
  }
  const file = values['config'];
  return { do: 'run', file: typeof file === 'string' ? file : undefined, overrides };
}

type ArgumentOptions = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

function read(args: readonly string[], options: ArgumentOptions): Readonly<Record<string, unknown>> {
  try {
    return { ...parseArgs({ args: [...args], allowPositionals: false, options }).values };
  } catch (cause) {
    throw new EdgeCoreError('ERR_EDGECORE_CONFIG', (cause as Error).message, { cause });
  }
}
