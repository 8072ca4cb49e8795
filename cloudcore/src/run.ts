import { pino } from 'pino';
import { startCloudCore } from './cloud-core.ts';
import { parseCommandLine, USAGE, type Command, type ConfiguredCommand } from './command-line.ts';
import { checkConfig, readConfigFile } from './config/load-config.ts';
import type { CloudCoreConfig } from './config/schema.ts';
import { CloudCoreError } from './errors.ts';
import { VERSION } from './version.ts';

const MISUSE = 2;

function misuse(error: unknown): never {
  if (!(error instanceof CloudCoreError)) throw error;
  process.stderr.write(`hawser-cloudcore: ${error.message}\nTry --help.\n`);
  process.exit(MISUSE);
}

async function configured(command: ConfiguredCommand): Promise<CloudCoreConfig> {
  const { config: file, overrides, advertise } = command;
  const written = file === undefined ? {} : await readConfigFile(file);
  const merged = { ...written, ...overrides };
  const names = [...((merged['advertise'] as readonly string[] | undefined) ?? []), ...advertise];
  return checkConfig({ ...merged, ...(names.length > 0 && { advertise: names }) }, file ?? 'the options');
}

async function run(config: CloudCoreConfig): Promise<void> {
  const log = pino({ level: config.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'stopping');
      stopping.abort();
    });
  }
  try {
    const core = await startCloudCore({ config, log, signal: stopping.signal });
    await new Promise<void>((resolve) => {
      if (stopping.signal.aborted) resolve();
      stopping.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await core.stop();
    log.info({}, 'stopped');
  } catch (error) {
    if (error === stopping.signal.reason) return; // told to stop while it waited for the API server
    log.error({ err: error, code: (error as { code?: unknown }).code }, 'the hub ends');
    process.exitCode = 1;
  }
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
