import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** A folder of a test's own. */
export interface TempDir {
  readonly path: string;
  /** Removes it with all it holds; may be called more than once. */
  remove(): Promise<void>;
}

/** Makes an empty folder below the system's temporary folder. */
export async function makeTempDir(prefix = 'hawser-'): Promise<TempDir> {
  const dir = await mkdtemp(path.join(tmpdir(), prefix));
  return { path: dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
