import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { CliError } from '../errors.ts';

/** Where units are. Source: systemd.unit(5), "Unit File Load Path". */
const UNIT_FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];
const UNIT = 'edgecore.service';
/** The configuration of the service; an edgecore with another one is no business of it. */
const UNIT_CONFIG = '/etc/hawser/edgecore.yaml';
/** There while systemd is the machine's first process. Source: sd_booted(3). */
const SYSTEMD = '/run/systemd/system';
/** Longer than systemd waits for the service. */
const SYSTEMCTL_LIMIT_MS = 10 * 60_000;

/** The command that starts the edgecore with this configuration. */
export async function startCommand(configFile: string): Promise<string> {
  const isUnit = configFile === UNIT_CONFIG && (await hasUnit());
  return isUnit ? 'systemctl enable --now edgecore' : `edgecore --config ${configFile}`;
}

/** The command that shows how it is. */
export function statusCommand(configFile: string): string {
  return configFile === UNIT_CONFIG
    ? 'hawser status'
    : `hawser status --config-dir ${path.dirname(configFile)}`;
}

/** The command that stops it. */
export async function stopCommand(pid: number | undefined): Promise<string> {
  if (await hasUnit()) return 'systemctl stop edgecore';
  return pid === undefined ? 'end its process' : `kill ${pid}`;
}

/** Whether the edgecore with this configuration is a service of this machine, and systemd there to start it. */
export async function isService(configFile: string): Promise<boolean> {
  return configFile === UNIT_CONFIG && (await isThere(SYSTEMD)) && (await hasUnit());
}

/** Whether the service runs, or is about to. */
export async function serviceRuns(): Promise<boolean> {
  try {
    await promisify(execFile)('systemctl', ['is-active', '--quiet', UNIT]);
    return true;
  } catch {
    return false; // its exit code says so
  }
}

/**
 * Starts the service, now and with the machine from now on; resolves when it says that it is ready.
 * @param anew whether one that runs is to read its configuration again
 * @throws CliError `ERR_CLI_SERVICE`
 */
export async function startService(anew: boolean, signal: AbortSignal): Promise<void> {
  await systemctl(['enable', '--quiet', UNIT], signal);
  await systemctl([anew ? 'restart' : 'start', UNIT], signal);
}

/** Stops the service, now and for good. @throws CliError `ERR_CLI_SERVICE` */
export async function stopService(signal: AbortSignal): Promise<void> {
  await systemctl(['disable', '--now', '--quiet', UNIT], signal);
}

async function systemctl(args: readonly string[], signal: AbortSignal): Promise<void> {
  try {
    await promisify(execFile)('systemctl', args, { signal, timeout: SYSTEMCTL_LIMIT_MS });
  } catch (cause) {
    signal.throwIfAborted();
    const { stderr, message } = cause as Error & { readonly stderr?: string };
    const said = stderr?.trim().split('\n')[0] ?? '';
    const text = `systemctl ${args[0] ?? ''} ${UNIT} failed: ${said === '' ? message : said}`;
    throw new CliError('ERR_CLI_SERVICE', text, { cause, about: UNIT });
  }
}

async function hasUnit(): Promise<boolean> {
  for (const folder of UNIT_FOLDERS) {
    if (await isThere(`${folder}/${UNIT}`)) return true;
  }
  return false;
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch {
    return false; // not there, which is the answer
  }
}
