import path from 'node:path';
import type { ConfigData } from '@hawser/devices';
import { MqttBus } from '../bus/mqtt-bus.ts';
import type { Driver } from '../driver.ts';
import { MapperError } from '../errors.ts';
import { Mapper } from '../mapper.ts';
import { parseCommandLine, usage, type MapperCommandLine } from './command-line.ts';
import { schemaConfigMap } from './schema-config-map.ts';
import { streamLogger } from './stream-logger.ts';

/** How a mapper ends. */
const EXIT = { ok: 0, failed: 1, misuse: 2 } as const;

/** Longest time to end in good order, milliseconds: the edge core kills after 5 s. */
const STOP_MS = 4_500;

/**
 * The program of a mapper: reads the command line (`--help` lists it), serves devices until SIGTERM or SIGINT, and sets the
 * exit code. A mapper package has a bin that does nothing but call it.
 * @param driver the one object of the package
 */
export async function runMapper<Protocol = ConfigData, Visitor = ConfigData>(
  driver: Driver<Protocol, Visitor>,
): Promise<void> {
  const program = path
    .basename(process.argv[1] ?? `hawser-mapper-${driver.protocol}`)
    .replace(/\.[cm]?js$/, '');
  let command: MapperCommandLine;
  try {
    command = parseCommandLine(process.argv.slice(2), process.env, driver.protocol);
  } catch (error) {
    if (!(error instanceof MapperError)) throw error;
    process.stderr.write(`${program}: ${error.message}\nTry --help.\n`);
    process.exitCode = EXIT.misuse;
    return;
  }
  switch (command.do) {
    case 'help':
      process.stdout.write(usage(program, driver.protocol));
      return;
    case 'version':
      process.stdout.write(`${driver.version}\n`);
      return;
    case 'schemas':
      process.stdout.write(
        `${JSON.stringify(schemaConfigMap(driver.protocol, driver.schemas), undefined, 2)}\n`,
      );
      return;
    case 'check':
      process.exitCode = await check(driver, command.file);
      return;
    case 'run':
      process.exitCode = await run(driver, command);
  }
}

async function check<Protocol, Visitor>(driver: Driver<Protocol, Visitor>, file: string): Promise<number> {
  const { checkManifest } = await import('./check-manifest.ts');
  try {
    const { lines, ok } = await checkManifest(driver as unknown as Driver, file);
    process.stdout.write(`${lines.join('\n')}\n`);
    return ok ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (!(error instanceof MapperError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.failed;
  }
}

async function run<Protocol, Visitor>(
  driver: Driver<Protocol, Visitor>,
  { url, name, secret, logLevel, metricsListen }: Extract<MapperCommandLine, { do: 'run' }>,
): Promise<number> {
  const log = streamLogger(logLevel);
  const stopRequested = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  const bus = new MqttBus({ url, name, secret, log });
  const mapper = new Mapper(driver, { name, bus, log });
  let metrics: { close(): Promise<void> } | undefined;
  try {
    if (metricsListen !== undefined) {
      const { serveMetrics } = await import('../metrics/metrics-server.ts');
      metrics = await serveMetrics(metricsListen, mapper, log);
    }
  } catch (error) {
    log.error({ err: error }, 'metrics cannot be served');
    return EXIT.failed;
  }
  log.info({ mapper: name, protocol: driver.protocol, version: driver.version }, 'the mapper begins');
  mapper.start();
  const signal = await stopRequested;
  log.info({ signal }, 'stopping');
  // What hangs in a driver is left behind: the process ends all the same.
  const late = setTimeout(() => {
    log.error({}, 'the mapper does not end in good order');
    process.exit(EXIT.failed);
  }, STOP_MS);
  await mapper.stop();
  await metrics?.close();
  clearTimeout(late);
  log.info({}, 'stopped');
  return EXIT.ok;
}
