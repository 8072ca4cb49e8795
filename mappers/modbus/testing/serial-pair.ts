import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';

/** A serial line without hardware: two device files, each of which says what is written to the other. */
export interface SerialPair {
  readonly ours: string;
  readonly theirs: string;
  /** Both ends disappear, as when an adapter is pulled out. Idempotent. */
  stop(): Promise<void>;
}

/** Why there can be no pair on this machine; undefined: there can. */
export function serialPairMissing(): string | undefined {
  return spawnSync('socat', ['-V'], { stdio: 'ignore' }).error === undefined ? undefined : 'socat is needed';
}

/** Makes a pair with socat; its files are links in `dir`. */
export async function makeSerialPair(dir: string): Promise<SerialPair> {
  const ours = path.join(dir, 'ours');
  const theirs = path.join(dir, 'theirs');
  const process = spawn('socat', [`pty,raw,echo=0,link=${ours}`, `pty,raw,echo=0,link=${theirs}`], {
    stdio: 'ignore',
  });
  await eventually('the serial line is there', () => existsSync(ours) && existsSync(theirs));
  return {
    ours,
    theirs,
    async stop() {
      if (process.exitCode !== null || process.signalCode !== null) return;
      const exited = once(process, 'exit');
      process.kill();
      await exited;
    },
  };
}
