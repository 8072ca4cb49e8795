import { isPlainObject } from '@hawser/kube';
import type { Logger } from '@hawser/seams';
import { pino } from 'pino';
import { startCloudCore } from './cloud-core.ts';
import { parseCommandLine, USAGE, type Command, type ConfiguredCommand } from './command-line.ts';
import { checkConfig, readConfigFile } from './config/load-config.ts';
import type { CloudCoreConfig } from './config/schema.ts';
import { CloudCoreError } from './errors.ts';
import { VERSION } from './version.ts';

const MISUSE = 2;
const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

function misuse(error: unknown): never {
  if (!(error instanceof CloudCoreError)) throw error;
  process.stderr.write(`hawser-cloudcore: ${error.message}\nTry --help.\n`);
  process.exit(MISUSE);
}

async function configured(command: ConfiguredCommand): Promise<CloudCoreConfig> {
  const { config: file, overrides, kubelet, advertise } = command;
  const written = file === undefined ? {} : await readConfigFile(file);
  const merged: Readonly<Record<string, unknown>> = { ...written, ...overrides };
  const names = [...((merged['advertise'] as readonly string[] | undefined) ?? []), ...advertise];
  return checkConfig(
    {
      ...merged,
      ...(names.length > 0 && { advertise: names }),
      ...(kubelet !== undefined && { kubelet: withAddress(merged['kubelet'], kubelet) }),
    },
    file ?? 'the options',
  );
}

/** What is no section is left for the check to complain of. */
function withAddress(section: unknown = {}, advertise: string): unknown {
  return isPlainObject(section) ? { ...section, advertise } : section;
}

/** The first signal to stop hands edges over, the second one stops at once, the third one kills. */
function stopSignals(log: Logger): { readonly stopping: AbortSignal; readonly atOnce: AbortSignal } {
  const stopping = new AbortController();
  const atOnce = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (!stopping.signal.aborted) {
      log.info({ signal }, 'stopping');
      stopping.abort();
      return;
    }
    log.info({ signal }, 'stopping at once');
    for (const name of STOP_SIGNALS) process.off(name, onSignal);
    atOnce.abort();
  };
  for (const name of STOP_SIGNALS) process.on(name, onSignal);
  return { stopping: stopping.signal, atOnce: atOnce.signal };
}

async function run(config: CloudCoreConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const { stopping, atOnce } = stopSignals(log);
  try {
    const core = await startCloudCore({ config, log, signal: stopping });
    await aborted(stopping);
    await core.drain(atOnce).catch((error: unknown) => {
      if (error !== atOnce.reason) throw error;
    });
    await core.stop();
    log.info({}, 'stopped');
  } catch (error) {
    if (error === stopping.reason) return; // told to stop while it waited for the API server
    log.error({ err: error, code: (error as { code?: unknown }).code }, 'the hub ends');
    process.exitCode = 1;
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function readCommand(): Command {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    return misuse(error);
  }
}

/** The command `hawser-cloudcore`. Sets the exit code: 0 stopped, 1 failed, 2 misuse. */
export async function main(): Promise<void> {
  const command = readCommand();
  switch (command.do) {
    case 'help':
      process.stdout.write(USAGE);
      return;
    case 'version':
      process.stdout.write(`${VERSION}\n`);
      return;
    case 'check':
      await configured(command).catch(misuse);
      process.stdout.write('the configuration is right\n');
      return;
    case 'run':
      await run(await configured(command).catch(misuse));
  }
}
