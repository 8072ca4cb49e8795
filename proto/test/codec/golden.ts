import { readFileSync } from 'node:fs';

/** Names of the files in test/golden. */
export type GoldenFile =
  | 'session-frames'
  | 'connection-frames'
  | 'stream-heads'
  | 'close-notices'
  | 'mux-frames'
  | 'sync-messages'
  | 'future';

/** Bytes by name. Compiled tests run from dist/test/codec; the files stay where they are. */
export function golden(file: GoldenFile): ReadonlyMap<string, Buffer> {
  const url = new URL(`../../../test/golden/${file}.json`, import.meta.url);
  const entries = Object.entries(JSON.parse(readFileSync(url, 'utf8')) as Record<string, string>);
  return new Map(entries.map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
}

/** All of them, as seeds for fuzzing. */
export function allGolden(): readonly Buffer[] {
  const files: readonly GoldenFile[] = [
    'session-frames',
    'connection-frames',
    'stream-heads',
    'close-notices',
    'mux-frames',
    'sync-messages',
    'future',
  ];
  return files.flatMap((file) => [...golden(file).values()]);
}
