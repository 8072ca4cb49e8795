// Joins a node in a process of its own: `node join-process.js {json of JoinProcessSettings}`.
import { parseArgs } from 'node:util';
import { joinCluster } from '@hawser/edgecore';
import { announceReady } from '../processes/in-child.ts';

/** Settings of a join process. */
export interface JoinProcessSettings {
  readonly hub: { readonly host: string; readonly port: number };
  readonly token: string;
  readonly node: string;
  /** Folder of the identity. */
  readonly folder: string;
}

/** What a join process says when it is done. */
export interface JoinProcessResult {
  /** From the call to the identity on the disk, milliseconds. */
  readonly elapsedMs: number;
}

async function main(settings: JoinProcessSettings): Promise<void> {
  const startedMs = performance.now();
  await joinCluster(settings);
  announceReady({ elapsedMs: performance.now() - startedMs } satisfies JoinProcessResult);
  process.disconnect();
}

const { positionals } = parseArgs({ allowPositionals: true });
await main(JSON.parse(positionals[0] ?? '{}') as JoinProcessSettings);
