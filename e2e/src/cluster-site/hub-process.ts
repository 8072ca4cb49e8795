// A cloud hub in a process of its own: `node hub-process.js {json of HubProcessSettings}`.
import '@hawser/cloudcore/memory-diet';
import { parseArgs } from 'node:util';
import { checkConfig, startCloudCore, type CloudCoreConfigInput } from '@hawser/cloudcore';
import { pino } from 'pino';
import { announceReady } from '../processes/in-child.ts';
import { processUsage } from '../processes/process-usage.ts';
import { answerQuestions } from './ipc-calls.ts';

/** Settings of a hub process. */
export interface HubProcessSettings {
  readonly config: CloudCoreConfigInput;
}

/** What a hub process says when it is ready. */
export interface HubProcessReady {
  readonly websocketPort: number;
  readonly quicPort: number | undefined;
  readonly webTransportPort: number | undefined;
  readonly operationsPort: number;
}

async function main({ config }: HubProcessSettings): Promise<void> {
  const checked = checkConfig(config, 'the settings of the test');
  const log = pino({ level: checked.logLevel, base: null }, pino.destination({ dest: 2, sync: true }));
  const core = await startCloudCore({ config: checked, log });
  answerQuestions({
    usage: async () => {
      globalThis.gc?.();
      return { ...(await processUsage(process.pid)), heap: process.memoryUsage() };
    },
    nodes: () => core.nodes,
    unready: () => core.unready(),
    metrics: () => core.registry.metrics(),
  });
  process.once('SIGTERM', () => void core.stop().then(() => process.exit(0)));
  const { websocketPort, quicPort, webTransportPort, operationsPort } = core;
  announceReady({ websocketPort, quicPort, webTransportPort, operationsPort } satisfies HubProcessReady);
}

const { positionals } = parseArgs({ allowPositionals: true });
await main(JSON.parse(positionals[0] ?? '{}') as HubProcessSettings);
