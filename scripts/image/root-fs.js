// The files of cloudcore's image: Node.js with the libraries that it loads, the hub in one bundle, native addons, and
// the few files without which nothing runs. No shell, no package manager.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { root } from '../run.js';

/** User and group, by number: Kubernetes sees that it is not root. The number is that of others' images of this kind. */
export const USER = 65532;
/** What the image runs. */
export const ENTRYPOINT = ['/usr/local/bin/node', '/app/main.js'];
const ENTRY = path.join(root, 'cloudcore/dist/src/main.js');
const ADDONS = path.join(root, 'node_modules/@chainsafe');

const PASSWD = `root:x:0:0:root:/:/none\nhawser:x:${USER}:${USER}:hawser:/:/none\n`;
const GROUP = `root:x:0:\nhawser:x:${USER}:\n`;

/**
 * Layers of the image, the one that changes least first; each is a list of entries for a tar.
 * @throws Error where cloudcore is not compiled, or this is not Linux
 */
export async function rootFs() {
  if (process.platform !== 'linux') throw new Error('an image for Linux is made on Linux, from its Node.js');
  if (!existsSync(ENTRY)) throw new Error('cloudcore is not compiled: npm run build');
  return [baseLayer(), await programLayer()];
}

function baseLayer() {
  const files = [...addons(), process.execPath];
  const libraries = [...new Set(files.flatMap(librariesOf))].sort();
  return withFolders([
    { path: 'usr/local/bin/node', mode: 0o755, content: readFileSync(process.execPath) },
    ...libraries.map((file) => ({
      path: file.slice(1),
      mode: 0o755,
      content: readFileSync(realpathSync(file)),
    })),
    { path: 'etc/passwd', content: PASSWD },
    { path: 'etc/group', content: GROUP },
    { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
    { path: 'etc/hawser', type: 'folder' },
    { path: 'tmp', type: 'folder', mode: 0o1777 },
    { path: 'usr/share/doc/node/LICENSE', content: licenseOfNode() },
  ]);
}

async function programLayer() {
  const outdir = mkdtempSync(path.join(tmpdir(), 'hawser-image-'));
  try {
    await bundle(outdir);
    const files = readdirSync(outdir).sort();
    return withFolders([
      ...files.map((name) => ({ path: `app/${name}`, content: readFileSync(path.join(outdir, name)) })),
      { path: 'app/package.json', content: '{ "type": "module" }\n' },
      ...addons().flatMap((file) => {
        const folder = path.dirname(file);
        return [file, path.join(folder, 'package.json')].map((each) => ({
          path: path.join('app', path.relative(root, each)),
          content: readFileSync(each),
        }));
      }),
    ]);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
}

/** `run.js` is a chunk of its own: flags of the engine are set before it is loaded. */
function bundle(outdir) {
  return build({
    entryPoints: [ENTRY],
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'eof', // licenses of what is inside
    logLevel: 'warning',
    // Native, found by their names; the second is not there, and the library above it knows.
    external: ['@chainsafe/*', '@fails-components/webtransport-transport-*'],
    banner: {
      // CommonJS packages inside the bundle ask for built-in modules by require.
      js: "import { createRequire as hawserRequire } from 'node:module'; const require = hawserRequire(import.meta.url);",
    },
  });
}

/** Native code for this machine: QUIC, where it is installed. */
function addons() {
  if (!existsSync(ADDONS)) return [];
  return readdirSync(ADDONS)
    .filter((name) => name.startsWith(`libp2p-quic-linux-${process.arch}`))
    .flatMap((name) => readdirSync(path.join(ADDONS, name)).map((file) => path.join(ADDONS, name, file)))
    .filter((file) => file.endsWith('.node'));
}

/** What the dynamic loader loads for a program, and the loader, by the paths under which they are looked for. */
function librariesOf(file) {
  const lines = execFileSync('ldd', [file], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(?:=>\s+|^\s+)(\/\S+)\s+\(0x/.exec(line)?.[1] ?? []);
}

function licenseOfNode() {
  const bin = path.dirname(realpathSync(process.execPath));
  const found = [path.join(bin, '../LICENSE'), '/usr/share/doc/nodejs/LICENSE'].find((file) =>
    existsSync(file),
  );
  return found === undefined ? 'https://github.com/nodejs/node/blob/main/LICENSE\n' : readFileSync(found);
}

/** Each folder before what is in it. */
function withFolders(entries) {
  const known = new Set(entries.filter(({ type }) => type === 'folder').map((entry) => entry.path));
  const folders = new Set();
  for (const entry of entries) {
    for (let dir = path.dirname(entry.path); dir !== '.'; dir = path.dirname(dir))
      if (!known.has(dir)) folders.add(dir);
  }
  return [...[...folders].sort().map((dir) => ({ path: dir, type: 'folder' })), ...entries];
}
