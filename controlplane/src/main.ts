#!/usr/bin/env node
import { pino } from 'pino';
import { parseCommandLine, USAGE, type CommandOptions } from './command-line.ts';
import { ControlPlaneError } from './errors.ts';
import { runControlPlane } from './run.ts';

const MISUSE = 2;

function readOptions(): CommandOptions | 'help' {
  try {
    return parseCommandLine(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof ControlPlaneError)) throw error;
    process.stderr.write(`hawser-controlplane: ${error.message}\nTry --help.\n`);
    process.exit(MISUSE);
  }
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const logger = pino({ level: options.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const stopRequested = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve);
  });
  try {
    const plane = await runControlPlane(options, logger);
    const signal = await stopRequested;
    logger.info({ signal }, 'stopping');
    await plane.stop();
    logger.info({}, 'stopped');
  } catch (error) {
    const code = error instanceof ControlPlaneError ? error.code : undefined;
    logger.error({ err: error, code }, 'the control plane ends');
    process.exitCode = 1;
  }
}

await main();
