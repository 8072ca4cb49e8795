import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@hawser/seams';
import type { MapperDefinition } from './mapper-definition.ts';
import { parseDefinition } from './parse-definition.ts';

const ENDING = '.yaml';
const MAX_FILE_BYTES = 64 * 1024;
const MAX_DEFINITIONS = 100;

/** What is wrong with a file of the folder. */
export interface DefinitionProblem {
  readonly file: string;
  readonly problems: readonly string[];
}

/** What a folder of definitions has. */
export interface FoundDefinitions {
  readonly definitions: ReadonlyMap<string, MapperDefinition>;
  readonly problems: readonly DefinitionProblem[];
}

/** Whether there is any definition, without loading what reads them. A folder that is not there has none. */
export async function hasDefinitions(dir: string): Promise<boolean> {
  return (await filesOf(dir)).length > 0;
}

/**
 * The folder of definitions. A file that cannot be read, or is not valid, keeps its last valid definition for as long as
 * the process lives: a mapper does not end because somebody is editing.
 */
export class DefinitionFolder {
  readonly #dir: string;
  readonly #log: Logger;
  /** By name: what the file was when it was read. */
  readonly #seen = new Map<string, { readonly stamp: string; readonly problems: readonly string[] }>();
  readonly #definitions = new Map<string, MapperDefinition>();

  constructor(dir: string, log: Logger) {
    this.#dir = dir;
    this.#log = log;
  }

  /** Reads what has changed since the last time. @throws Error the folder cannot be read */
  async read(): Promise<FoundDefinitions> {
    const names = await filesOf(this.#dir);
    for (const name of names) await this.#readFile(name);
    for (const name of this.#seen.keys()) {
      if (names.includes(name)) continue;
      this.#seen.delete(name);
      this.#definitions.delete(name);
    }
    return {
      definitions: new Map(this.#definitions),
      problems: [...this.#seen]
        .filter(([, { problems }]) => problems.length > 0)
        .map(([name, { problems }]) => ({ file: this.#file(name), problems })),
    };
  }

  async #readFile(name: string): Promise<void> {
    const stamp = await stampOf(this.#file(name));
    if (stamp === undefined || this.#seen.get(name)?.stamp === stamp) return;
    const problems = await this.#parse(name);
    this.#seen.set(name, { stamp, problems });
    if (problems.length > 0) {
      const kept = this.#definitions.has(name) ? '; the one before stays in force' : '';
      this.#log.error(
        { file: this.#file(name) },
        `a mapper definition is not valid: ${problems.join('; ')}${kept}`,
      );
    }
  }

  async #parse(name: string): Promise<readonly string[]> {
    try {
      const { size } = await stat(this.#file(name));
      if (size > MAX_FILE_BYTES) return [`has ${size} bytes; at most ${MAX_FILE_BYTES} are read`];
      const text = await readFile(this.#file(name), 'utf8');
      const { readYaml } = await import('./yaml-text.ts'); // rare, and not small
      const parsed = parseDefinition(name, readYaml(text));
      if ('problems' in parsed) return parsed.problems;
      this.#definitions.set(name, parsed.definition);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  }

  #file(name: string): string {
    return path.join(this.#dir, `${name}${ENDING}`);
  }
}

async function filesOf(dir: string): Promise<readonly string[]> {
  const names = await readdir(dir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => name.endsWith(ENDING) && !name.startsWith('.'))
    .map((name) => name.slice(0, -ENDING.length))
    .sort()
    .slice(0, MAX_DEFINITIONS);
}

/** Another one when the file was written; undefined: it is gone. */
async function stampOf(file: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs, size } = await stat(file);
    return `${ino} ${mtimeMs} ${size}`;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
