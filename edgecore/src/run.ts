import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { systemClock, type Logger } from '@hawser/seams';
import { parseCommandLine, usage } from './command-line.ts';
import { loadConfig } from './config/load-config.ts';
import type { EdgeConfig } from './config/options.ts';
import type { EdgeCore, EdgeCoreOptions } from './edge-core.ts';
import { EdgeCoreError } from './errors.ts';
import { EngineTuning } from './health/engine-tuning.ts';
import { SystemdNotifier } from './health/systemd.ts';
import { jsonLogger } from './log/json-logger.ts';
import { beginMemoryDiet, collectGarbage } from './memory-diet.ts';
import type { ToWorker } from './store/store-protocol.ts';
import { startStoreWorker } from './store/store-worker-thread.ts';
import { VERSION } from './version.ts';

/** How the command ends. */
export const EXIT = { ok: 0, failed: 1, misuse: 2, notJoined: 3 } as const;

/** The command: reads its arguments, runs until a signal, and answers the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const command = parseCommandLine(args);
    if (command.do === 'run') return await run(await load(command.file, command.overrides));
    process.stdout.write(command.do === 'help' ? usage() : `${VERSION}\n`);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof EdgeCoreError) || error.code !== 'ERR_EDGECORE_CONFIG') throw error;
    process.stderr.write(`edgecore: ${error.message}\nTry --help.\n`);
    return EXIT.misuse;
  }
}

/** What {@link run} needs. */
interface Loaded {
  readonly config: EdgeConfig;
  readonly start: (options: Pick<EdgeCoreOptions, 'config' | 'log'>) => Promise<EdgeCore>;
  readonly storeWorker: Worker;
}

/**
 * Another process checks the configuration while the thread of the store starts and the parts are loaded. The flags
 * that save memory are set once the thread runs and Node's own modules are there, and before anything of ours is: see
 * `beginMemoryDiet`.
 */
async function load(file: string | undefined, overrides: Readonly<Record<string, string>>): Promise<Loaded> {
  const checking = loadConfig(file, overrides);
  checking.catch(() => {}); // heard below, once the parts are there
  const storeWorker = startStoreWorker();
  const workerUp = started(storeWorker);
  try {
    await import('./builtin-modules.ts');
    await workerUp;
    beginMemoryDiet();
    const { startEdgeCore } = await import('./edge-core.ts');
    const config = await checking;
    return { config, storeWorker, start: (options) => startEdgeCore({ ...options, storeWorker }) };
  } catch (error) {
    await storeWorker.terminate();
    throw error;
  }
}

/** Until a thread runs code of ours, or will not: then the store says so. */
async function started(worker: Worker): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  const told = ['online', 'error', 'exit'].map((event) => once(worker, event, { signal }));
  await Promise.race(told).catch(() => {});
  settled.abort();
  await Promise.allSettled(told);
}

async function run({ config, start, storeWorker }: Loaded): Promise<number> {
  const log = jsonLogger(config.log);
  const stopRequested = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  try {
    const core = await start({ config, log });
    const systemd = notifier(core, log);
    // Where containers run, code that was dropped would be missed when one of them has to be started again.
    const dropCode = config.pods.runtime === 'null';
    const onIdle = (): void => {
      collectGarbage(dropCode);
      storeWorker.postMessage({ type: 'collect', dropCode } satisfies ToWorker);
    };
    const tuning = new EngineTuning({ clock: systemClock, log, onIdle });
    tuning.start();
    await systemd.ready();
    const signal = await stopRequested;
    tuning.stop();
    log.info({ signal }, 'stopping');
    await systemd.stopping();
    await core.stop();
    systemd.stop();
    log.info({}, 'stopped');
    return EXIT.ok;
  } catch (error) {
    return failed(error, log);
  }
}

function notifier(core: EdgeCore, log: Logger): SystemdNotifier {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = process.env;
  return new SystemdNotifier({
    environment: { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID },
    isHealthy: async () => (await core.problems()).length === 0,
    status: () => `node ${core.node}, session with the hub: ${core.status().session.state}`,
    clock: systemClock,
    log,
  });
}

function failed(error: unknown, log: Logger): number {
  const code = error instanceof EdgeCoreError ? error.code : undefined;
  log.error({ err: error, code }, 'the edge core ends');
  if (code === 'ERR_EDGECORE_IDENTITY_MISSING') return EXIT.notJoined;
  return code === 'ERR_EDGECORE_CONFIG' ? EXIT.misuse : EXIT.failed;
}
