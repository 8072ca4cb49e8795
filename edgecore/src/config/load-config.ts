import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EdgeCoreError } from '../errors.ts';
import type { CheckedConfig, ConfigSources } from './check-config.ts';
import type { EdgeConfig } from './options.ts';

const CHECKER = fileURLToPath(new URL('check-config-process.js', import.meta.url));
/** A configuration is a page or two. */
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Reads the configuration file and checks it, with what the command line says put above it. The parsers run in a
 * process of their own that ends with the answer: in a thread of this one they would leave 8 MB behind, in this
 * thread 15 MB.
 *
 * @param file path of the YAML file; undefined: there is none, all options have their defaults
 * @param overrides texts by `section.name`
 * @throws EdgeCoreError `ERR_EDGECORE_CONFIG` naming every problem
 */
export async function loadConfig(
  file: string | undefined,
  overrides: Readonly<Record<string, string>>,
): Promise<EdgeConfig> {
  const yaml = file === undefined ? undefined : readConfigFile(file);
  const checked = await check({ overrides, ...(yaml !== undefined && { yaml }) });
  if ('config' in checked) return checked.config;
  const where = file === undefined ? '' : `${file}: `;
  throw new EdgeCoreError('ERR_EDGECORE_CONFIG', `${where}${checked.problems.join('; ')}`, {
    ...(file !== undefined && { about: file }),
  });
}

/** Read at once, so that the other process begins before this one has work of its own. */
function readConfigFile(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    const message = `the configuration cannot be read: ${(cause as Error).message}`;
    throw new EdgeCoreError('ERR_EDGECORE_CONFIG', message, { cause, about: file });
  }
  if (text.length <= MAX_FILE_BYTES) return text;
  throw new EdgeCoreError('ERR_EDGECORE_CONFIG', `${file} is too large for a configuration`, { about: file });
}

function check(sources: ConfigSources): Promise<CheckedConfig> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CHECKER], { stdio: ['pipe', 'pipe', 'pipe'] });
    const output: Buffer[] = [];
    const complaints: Buffer[] = [];
    const fail = (why: string, cause?: unknown): void =>
      reject(
        new EdgeCoreError('ERR_EDGECORE_CONFIG', `the configuration could not be checked: ${why}`, { cause }),
      );
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.on('error', (error) => fail(error.message, error));
    child.on('close', (code) => {
      if (code !== 0) fail(`${Buffer.concat(complaints).toString().trim()} (exit ${code ?? 'by signal'})`);
      else resolve(JSON.parse(Buffer.concat(output).toString()) as CheckedConfig);
    });
    child.stdin.on('error', () => {}); // the child ended before it had read: its exit code tells
    child.stdin.end(JSON.stringify(sources));
  });
}
