import { readdirSync, readFileSync } from 'node:fs';
import type { FuzzTargetName } from './targets.ts';

/** An input that once found something. */
export interface CorpusEntry {
  readonly name: string;
  readonly target: FuzzTargetName;
  /** What it found. */
  readonly found: string;
  readonly hex: string;
}

/** All of test/fuzz-corpus. Compiled tests run from dist/test/fuzz; the files stay where they are. */
export function corpus(): readonly CorpusEntry[] {
  const folder = new URL('../../../test/fuzz-corpus/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      name: file.slice(0, -'.json'.length),
      ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<CorpusEntry, 'name'>),
    }));
}
