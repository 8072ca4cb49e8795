import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadConfig } from '@hawser/edgecore';
import { edgeConfig } from '@hawser/edgecore/admin';
import { isMap, parseDocument, type Document } from 'yaml';
import { formatAddress, type Address } from '../cloud/address.ts';
import { CliError } from '../errors.ts';
import type { TransportChoice } from './transports.ts';

/** What a join says about the configuration of edgecore; the rest has its default, or stays as it is. */
export interface EdgeSettings {
  readonly hub: Address;
  readonly transport: TransportChoice | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** What runs pods; undefined: as it is. */
  readonly runtime?: string | undefined;
  /** Socket of the container runtime. */
  readonly runtimeEndpoint: string | undefined;
  readonly dataDir: string;
  readonly socket: string;
}

/** A configuration file as it is to be. */
export interface PlannedConfig {
  readonly file: string;
  readonly result: 'created' | 'updated' | 'unchanged';
  readonly text: string;
}

const HEADER = `# Configuration of edgecore, made by \`hawser join\`. It may be edited: a later join changes what it says and no more.
# Every option: docs/reference/edgecore-config.md.
`;

/**
 * What the configuration file is to be: a new one, or the present one with what the join says put in; comments and
 * everything else stay. Checked as edgecore will check it. Writes nothing that stays.
 * @throws CliError `ERR_CLI_CONFIG`; EdgeCoreError `ERR_EDGECORE_CONFIG` for what edgecore would not take
 */
export async function planEdgeConfig(
  file: string,
  settings: EdgeSettings,
  tempDir: string,
): Promise<PlannedConfig> {
  const present = await readIfThere(file);
  const document = parseDocument(present ?? '');
  const [problem] = document.errors;
  if (problem !== undefined) {
    const message = `${file} is no YAML: ${problem.message}`;
    throw new CliError('ERR_CLI_CONFIG', message, {
      about: file,
      remedy: 'Correct the file, or move it away.',
    });
  }
  let changed = false;
  for (const [at, value] of wantedValues(settings)) {
    if (document.getIn(at) === value) continue;
    setValue(document, at, value);
    changed = true;
  }
  const body = document.toString();
  const text = present === undefined ? `${HEADER}${body}` : body;
  await checkAsEdgecore(text, tempDir);
  if (present === undefined) return { file, result: 'created', text };
  return changed ? { file, result: 'updated', text } : { file, result: 'unchanged', text: present };
}

/** Writes it in one step. @throws CliError `ERR_CLI_CONFIG` */
export async function writeEdgeConfig({ file, text, result }: PlannedConfig): Promise<void> {
  if (result === 'unchanged') return;
  const temporary = `${file}.tmp-${process.pid}`;
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(temporary, text, { mode: 0o644, flush: true });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    const message = `${file} cannot be written: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: file });
  }
}

/** A section that is there and empty (null) becomes a mapping. */
function setValue(document: Document, at: readonly string[], value: string): void {
  for (let depth = 1; depth < at.length; depth += 1) {
    const section = at.slice(0, depth);
    if (document.hasIn(section) && !isMap(document.getIn(section, true))) {
      document.setIn(section, document.createNode({}));
    }
  }
  document.setIn(at, value);
}

function wantedValues(settings: EdgeSettings): [path: string[], value: string][] {
  const { hub, transport, labels, runtime, runtimeEndpoint, dataDir, socket } = settings;
  const defaults = edgeConfig();
  return [
    [['hub', 'address'], formatAddress(hub.host, hub.port)],
    ...(transport === undefined ? [] : [[['hub', 'transport'], transport] as [string[], string]]),
    ...(runtime === undefined ? [] : runtimeValues(runtime, dataDir)),
    ...(runtimeEndpoint === undefined
      ? []
      : [[['pods', 'runtimeEndpoint'], runtimeEndpoint] as [string[], string]]),
    ...(dataDir === defaults.data.dir ? [] : [[['data', 'dir'], dataDir] as [string[], string]]),
    ...(socket === defaults.admin.socket ? [] : [[['admin', 'socket'], socket] as [string[], string]]),
    ...Object.entries(labels).map(([key, value]): [string[], string] => [['node', 'labels', key], value]),
  ];
}

/** A user without root cannot write to the place where logs are by default. */
function runtimeValues(runtime: string, dataDir: string): [path: string[], value: string][] {
  const isRoot = process.geteuid?.() === 0;
  return [
    [['pods', 'runtime'], runtime],
    ...(isRoot ? [] : [[['pods', 'logDir'], path.join(dataDir, 'logs')] as [string[], string]]),
  ];
}

/** Its own check reads files; this one is gone afterwards. */
async function checkAsEdgecore(text: string, tempDir: string): Promise<void> {
  const file = path.join(tempDir, 'edgecore.yaml');
  await writeFile(file, text, { mode: 0o600 });
  try {
    await loadConfig(file, {});
  } finally {
    await rm(file, { force: true });
  }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const message = `${file} cannot be read: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: file, remedy: 'Say it as root.' });
  }
}
