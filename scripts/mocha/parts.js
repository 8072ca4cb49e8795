// What one mocha runs: a package, or, where that has many tests, some folders of them.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from '../run.js';

/** Its tests start many processes, and wait for them most of the time. */
const WAITS = 'e2e';
/** Folders of a package's tests that are parts of their own; what is in no such folder is one, too. */
const FOLDERS = {
  [WAITS]: [
    ['pods', 'kubelet', 'kubectl'],
    ['pool', 'proxy-consumer'],
    ['spine'],
    ['demo'],
    ['whole-system'],
    ['package', 'chart', 'process-runtime'],
    ['devices'],
    ['docs'],
  ],
  edgecore: [['store', 'core', 'event-bus', 'dns', 'pool', 'local-api']],
};
/** How long the longest parts take, seconds, about: those begin first, so that none is waited for in the end. */
const SECONDS = {
  'e2e: pods, kubelet, kubectl': 320,
  'e2e: pool, proxy-consumer': 260,
  'e2e: spine': 230,
  'e2e: the rest': 230,
  'e2e: demo': 180,
  'edgecore: the rest': 150,
  'edgecore: store, core, event-bus, dns, pool, local-api': 150,
  proto: 140,
  kube: 120,
  cloudcore: 110,
  'e2e: whole-system': 110,
  'e2e: package, chart, process-runtime': 100,
  'e2e: devices': 90,
  controlplane: 75,
  'e2e: docs': 70,
};

const specsIn = (folder) => `${folder}/**/*.{test,integration}.js`;

/** What is in none of the folders that are parts. */
function restOf(tests, named) {
  return readdirSync(path.join(root, tests), { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return named.has(entry.name) ? [] : [specsIn(`${tests}/${entry.name}`)];
    return /\.(test|integration)\.js$/.test(entry.name) ? [`${tests}/${entry.name}`] : [];
  });
}

function partsOfPackage(dir) {
  const tests = `${dir}/dist/test`;
  const waits = dir === WAITS;
  if (FOLDERS[dir] === undefined) return [{ name: dir, specs: [specsIn(tests)], waits }];
  const parts = FOLDERS[dir]
    .map((folders) => folders.filter((name) => existsSync(path.join(root, tests, name))))
    .filter((folders) => folders.length > 0)
    .map((folders) => ({
      name: `${dir}: ${folders.join(', ')}`,
      specs: folders.map((folder) => specsIn(`${tests}/${folder}`)),
      waits,
    }));
  const rest = restOf(tests, new Set(FOLDERS[dir].flat()));
  return [...parts, { name: `${dir}: the rest`, specs: rest, waits }];
}

/**
 * Parts of these packages, the longest first.
 * @param {string[]} dirs folders of packages
 * @returns {{name: string, specs: string[], waits: boolean}[]} waits: more than it computes
 */
export function partsOf(dirs) {
  const secondsOf = ({ name }) => SECONDS[name] ?? 0;
  return dirs.flatMap(partsOfPackage).sort((one, other) => secondsOf(other) - secondsOf(one));
}
