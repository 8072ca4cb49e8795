import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { edgeConfig } from '@hawser/edgecore/admin';
import { CliError } from '../errors.ts';

/** Options of commands that work with the edgecore of this machine. */
export interface EdgeOptions {
  /** The admin socket. Default: what the configuration says. */
  readonly socket?: string;
  /** Folder of edgecore.yaml. */
  readonly configDir: string;
  /** Folder of the store and the identity. Default: what the configuration says. */
  readonly dataDir?: string;
}

/** Where the edgecore of this machine has its things. */
export interface EdgePlace {
  readonly configFile: string;
  /** Whether there is a configuration file. */
  readonly configured: boolean;
  readonly socket: string;
  readonly dataDir: string;
}

/** Name of the configuration in its folder. */
export const EDGE_CONFIG = 'edgecore.yaml';

/** Only a file with one of these needs a parser, which takes longer to load than everything else. */
const PLACES = /^\s*["']?(socket|dir)["']?\s*:|[{,]\s*["']?(socket|dir)["']?\s*:/m;

/**
 * Finds where edgecore keeps its things: what the options say, then the configuration, then the defaults.
 * @throws CliError `ERR_CLI_CONFIG` for a configuration that is there and cannot be read
 */
export async function findEdge({ socket, configDir, dataDir }: EdgeOptions): Promise<EdgePlace> {
  const configFile = path.resolve(configDir, EDGE_CONFIG);
  const text = await readIfThere(configFile);
  const defaults = edgeConfig();
  const said = text !== undefined && PLACES.test(text) ? await placesIn(text, configFile) : {};
  return {
    configFile,
    configured: text !== undefined,
    socket: socket ?? said.socket ?? defaults.admin.socket,
    dataDir: dataDir === undefined ? (said.dataDir ?? defaults.data.dir) : path.resolve(dataDir),
  };
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

async function placesIn(text: string, file: string): Promise<{ socket?: string; dataDir?: string }> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    const message = `${file} is no YAML: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: file, remedy: 'Correct the file.' });
  }
  const { admin, data } = (value ?? {}) as {
    admin?: { socket?: unknown } | null;
    data?: { dir?: unknown } | null;
  };
  const [socket, dataDir] = [admin?.socket, data?.dir];
  return {
    ...(typeof socket === 'string' && { socket }),
    ...(typeof dataDir === 'string' && { dataDir }),
  };
}
