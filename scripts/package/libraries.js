// Packages of npm: which ones something needs, and those that are packed as they are.
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../run.js';

/** For the time of their installation only; usocket: dbus-next does without. */
const NOT_NEEDED = new Set(['prebuild-install', 'node-addon-api', 'usocket']);
/** Never loaded. Those of `native` only in packages that are compiled: others run from `src`. */
const NOT_RUN = {
  always: new Set(['node_modules', 'docs', 'test', 'tests', 'examples']),
  native: new Set(['src', 'deps', 'build', 'prebuilds']),
};
const RUNS = /\.(?:[cm]?js|json)$|^licen[cs]e/i;

/**
 * Packages, and all that they depend on.
 * @returns {{name: string, version: string, license: string, dir: string}[]} by name
 */
export function neededPackages(names) {
  const found = new Map();
  const queue = names.map((name) => findPackage(name, root));
  for (let dir = queue.shift(); dir !== undefined; dir = queue.shift()) {
    if (found.has(dir)) continue;
    const { name, version, license, dependencies, optionalDependencies } = readPackage(dir);
    found.set(dir, { name, version, license, dir });
    const needed = Object.keys({ ...dependencies, ...optionalDependencies });
    queue.push(...needed.filter((each) => !NOT_NEEDED.has(each)).map((each) => findPackage(each, dir)));
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Copies packages, and all that they depend on, to where they are in this checkout, below another folder: what runs of
 * them and their licenses. Native code is left out; who calls puts it where it belongs.
 */
export function copyLibraries(names, to) {
  for (const { dir } of neededPackages(names)) {
    const isNative = existsSync(path.join(dir, 'binding.gyp'));
    copyWhatRuns(dir, path.join(to, path.relative(root, dir)), isNative);
  }
}

/** As Node.js looks for it: in each `node_modules` from there upwards. */
function findPackage(name, from) {
  for (let dir = from; ; dir = path.dirname(dir)) {
    const found = path.join(dir, 'node_modules', name);
    if (existsSync(found)) return found;
    if (dir === root) throw new Error(`${name}, which ${from} depends on, is not installed`);
  }
}

function readPackage(dir) {
  return JSON.parse(readFileSync(path.join(dir, 'package.json'), 'utf8'));
}

function copyWhatRuns(from, to, isNative) {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) {
      const isLeftOut = NOT_RUN.always.has(entry.name) || (isNative && NOT_RUN.native.has(entry.name));
      if (!isLeftOut) copyWhatRuns(source, target, isNative);
    } else if (RUNS.test(entry.name)) {
      cpSync(source, target);
    }
  }
}
