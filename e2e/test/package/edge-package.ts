import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';

/** What `npm run package` says of what it has made. */
export interface EdgePackage {
  readonly file: string;
  readonly version: string;
  readonly bytes: number;
  readonly installedBytes: number;
}

const run = promisify(execFile);
export const SCRIPT = path.resolve(import.meta.dirname, '../../../../scripts/package.js');

/** Builds the package. @param args of `npm run package` */
export async function buildPackage(out: string, ...args: readonly string[]): Promise<EdgePackage> {
  const { stdout } = await run(process.execPath, [SCRIPT, '--out', out, ...args]);
  return JSON.parse(stdout) as EdgePackage;
}

/** The same package with another version, in the same folder. @returns its file */
export async function asVersion(version: string, { file }: EdgePackage): Promise<string> {
  const folder = path.dirname(file);
  const tree = path.join(folder, `tree-${version}`);
  await run('dpkg-deb', ['--raw-extract', file, tree]);
  const control = path.join(tree, 'DEBIAN/control');
  const fields = await readFile(control, 'utf8');
  await writeFile(control, fields.replace(/^Version: .*$/m, `Version: ${version}`));
  const newer = path.join(folder, `hawser-edgecore_${version}.deb`);
  await run('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, newer]);
  return newer;
}
