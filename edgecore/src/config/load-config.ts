import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { EdgeCoreError } from '../errors.ts';
import type { CheckedConfig, ConfigSources } from './check-config.ts';
import type { EdgeConfig } from './options.ts';

/** The bundle has it as CommonJS, which starts faster. */
const CHECKERS = ['check-config-process.cjs', 'check-config-process.js'].map((name) =>
  fileURLToPath(new URL(name, import.meta.url)),
);
/** A configuration is a page or two. */
const MAX_FILE_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;

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
    const child = spawn(process.execPath, [checker()], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: environment(),
    });
    const output: Buffer[] = [];
    const complaints: Buffer[] = [];
    const fail = (why: string, cause?: unknown): void =>
      reject(
        new EdgeCoreError('ERR_EDGECORE_CONFIG', `the configuration could not be checked: ${why}`, { cause }),
      );
    child.stdout.on('data', (chunk: Buffer) => {
      output.push(chunk);
      if (chunk.at(-1) !== NEWLINE) return;
      // An answer is one line. That the process ends as well is not waited for.
      try {
        resolve(JSON.parse(Buffer.concat(output).toString()) as CheckedConfig);
      } catch (error) {
        fail('its answer is none', error);
      }
    });
    child.stderr.on('data', (chunk: Buffer) => complaints.push(chunk));
    child.on('error', (error) => fail(error.message, error));
    child.on('close', (code) => {
      const said = Buffer.concat(complaints).toString().trim() || 'no answer';
      fail(`${said} (exit ${code ?? 'by signal'})`); // nothing comes of it where there was an answer
    });
    child.stdin.on('error', () => {}); // the child ended before it had read: its exit code tells
    child.stdin.end(JSON.stringify(sources));
  });
}

/** It speaks with nobody: to read the authorities that Node.js shall trust as well takes up to 50 ms. */
function environment(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_EXTRA_CA_CERTS: undefined };
}

function checker(): string {
  const found = CHECKERS.find((file) => existsSync(file));
  if (found !== undefined) return found;
  const message = `the configuration could not be checked: ${CHECKERS.join(' or ')} is missing`;
  throw new EdgeCoreError('ERR_EDGECORE_CONFIG', message);
}
