import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { checkConfig, readConfigFile } from '@hawser/cloudcore/admin';
import { stringify } from 'yaml';
import { CliError } from '../errors.ts';
import { ownNames } from './hub-address.ts';

/** What `hawser init` knows of the hub to be. */
export interface HubSettings {
  /** Absolute path. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Undefined: nobody has said it. */
  readonly advertise: readonly string[] | undefined;
}

/** What is to become of the file, and what somebody should know about it. */
export interface ConfigPlan {
  /** `kept`: there is one, and it stays, whatever it says. */
  readonly result: 'created' | 'unchanged' | 'kept';
  readonly warnings: readonly string[];
  /** Of a file to be made. */
  readonly text?: string;
  /** Port of WebSocket tunnels, as the file says. */
  readonly port: number;
  /** What edges dial, the preferred one first: as the file says, or what was taken for want of it. */
  readonly advertise: readonly string[];
}

const HEADER = `# Configuration of cloudcore, the hub of Hawser, made by \`hawser init\`. It may be edited: it is not written again.
# Every option: docs/reference/cloudcore-config.md. Check it: hawser-cloudcore --config FILE --check
`;

/**
 * Looks what is to become of a configuration file; writes nothing. A file that is there stays as it is: somebody may
 * have edited it.
 * @throws CloudCoreError `ERR_CLOUDCORE_CONFIG` for a file that cloudcore would not take
 */
export async function planConfig(file: string, settings: HubSettings): Promise<ConfigPlan> {
  if (!(await isThere(file))) {
    const { kubeconfig, context, advertise = ownNames() } = settings;
    const wanted = {
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(context !== undefined && { context }),
      advertise: [...advertise],
    };
    const { listen } = checkConfig(wanted, file);
    const text = `${HEADER}${stringify(wanted)}`;
    return { result: 'created', warnings: [], text, port: listen.websocketPort, advertise };
  }
  const present = checkConfig(await readConfigFile(file), file);
  const missing = (settings.advertise ?? []).filter((name) => !present.advertise.includes(name));
  const warnings = [
    ...(missing.length > 0
      ? [`${file} is there and stays; its \`advertise\` lacks ${missing.join(', ')}`]
      : []),
    ...(settings.kubeconfig !== undefined && settings.kubeconfig !== present.kubeconfig
      ? [`${file} is there and stays; its \`kubeconfig\` is ${present.kubeconfig ?? 'not set'}`]
      : []),
  ];
  return {
    result: warnings.length > 0 ? 'kept' : 'unchanged',
    warnings,
    port: present.listen.websocketPort,
    advertise: present.advertise.length > 0 ? present.advertise : ownNames(),
  };
}

/**
 * Sees that the file can be written, before anything else is done.
 * @throws CliError `ERR_CLI_CONFIG`
 */
export async function prepareFolder(file: string): Promise<void> {
  await writing(file, () => mkdir(path.dirname(file), { recursive: true }));
}

/** @throws CliError `ERR_CLI_CONFIG` */
export async function writeConfig(file: string, text: string): Promise<void> {
  await writing(file, () => writeFile(file, text, { mode: 0o640, flag: 'wx' }));
}

async function writing(file: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    const message = `${file} cannot be written: ${(cause as Error).message}`;
    const remedy = 'Say it as root, or choose another place with `--config FILE`.';
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: file, remedy });
  }
}

/** @throws CliError `ERR_CLI_CONFIG` for a file that cannot be read */
export async function isThere(file: string): Promise<boolean> {
  try {
    await readFile(file);
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
    const message = `${file} cannot be read: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: file });
  }
}
