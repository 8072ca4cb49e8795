// The files of the package, laid out as they will be installed.
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { mustRun, root, say } from '../run.js';
import { bundleCommand, bundleMapper, LIBRARIES, MAPPERS } from './bundles.js';
import { writeCopyright } from './copyright.js';
import { copyLibraries } from './libraries.js';

const LIB = 'usr/lib/hawser';
const SOURCES = path.join(root, 'packaging', 'deb');

/** Puts everything below `tree`, but for what dpkg itself wants to know. */
export async function stage(tree, { arch, parts }) {
  const lib = path.join(tree, LIB);
  mkdirSync(lib, { recursive: true });
  copyNode(parts.node, path.join(lib, 'node'), arch);
  await copyPrograms(lib);
  copyLibraries(LIBRARIES, lib);
  copyAddons(lib, arch, parts);
  writeCommands(tree);
  copyFiles(tree);
  writeDocumentation(tree, parts);
}

function copyNode(from, to, { tools }) {
  cpSync(from, to, { dereference: true });
  chmodSync(to, 0o755);
  const strip = findTool(`${tools}strip`);
  if (strip !== undefined) execFileSync(strip, [to]);
  else say(`there is no ${tools}strip here (Debian's binutils): Node.js is packed with its symbols`);
}

async function copyPrograms(lib) {
  // Ours are modules; libraries have a package.json of their own.
  writeFileSync(path.join(lib, 'package.json'), '{ "type": "module" }\n');
  const edgecore = path.join(lib, 'edgecore');
  await mustRun('bundling the edge core', process.execPath, ['edgecore/bundle.js', edgecore]);
  // As deep as in the checkout: it finds its manifests by a relative path.
  await bundleCommand(path.join(lib, 'cli/dist/bundle'));
  cpSync(path.join(root, 'cli/manifests'), path.join(lib, 'manifests'), { recursive: true });
  for (const name of MAPPERS) await bundleMapper(name, path.join(lib, 'mappers', `${name}.js`));
}

/** Native code, to where the libraries look for it. */
function copyAddons(lib, arch, { sqlite, quic }) {
  const modules = path.join(lib, 'node_modules');
  cpSync(sqlite, path.join(modules, 'better-sqlite3/build/Release/better_sqlite3.node'));
  const serial = `@serialport/bindings-cpp/prebuilds/linux-${arch.node}`;
  for (const file of readdirSync(path.join(root, 'node_modules', serial)).filter((name) =>
    name.includes('glibc'),
  )) {
    cpSync(path.join(root, 'node_modules', serial, file), path.join(modules, serial, file));
  }
  if (quic === undefined) return;
  for (const file of readdirSync(quic).filter((name) => /\.node$|^package\.json$/.test(name))) {
    cpSync(path.join(quic, file), path.join(modules, '@chainsafe', arch.quic, file));
  }
}

/** Commands are scripts: each of our programs runs with the Node.js of the package. */
function writeCommands(tree) {
  const commands = {
    hawser: 'cli/dist/bundle/main.js',
    edgecore: 'edgecore/main.js',
    ...Object.fromEntries(MAPPERS.map((name) => [`hawser-mapper-${name}`, `mappers/${name}.js`])),
  };
  mkdirSync(path.join(tree, 'usr/bin'), { recursive: true });
  for (const [name, program] of Object.entries(commands)) {
    const script = `#!/bin/sh\nexec /${LIB}/node /${LIB}/${program} "$@"\n`;
    writeFileSync(path.join(tree, 'usr/bin', name), script, { mode: 0o755 });
  }
}

function copyFiles(tree) {
  const put = (name, to, mode = 0o644) => {
    cpSync(path.join(SOURCES, name), path.join(tree, to));
    chmodSync(path.join(tree, to), mode);
  };
  put('edgecore.service', 'usr/lib/systemd/system/edgecore.service');
  put('edgecore.default', 'etc/default/edgecore');
  mkdirSync(path.join(tree, 'etc/hawser/mappers.d'), { recursive: true });
}

function writeDocumentation(tree, parts) {
  const doc = path.join(tree, 'usr/share/doc/hawser-edgecore');
  mkdirSync(doc, { recursive: true });
  writeFileSync(
    path.join(doc, 'changelog.gz'),
    gzipSync(readFileSync(path.join(SOURCES, 'changelog')), { level: 9 }),
  );
  writeCopyright(doc, parts.node);
  cpSync(path.join(SOURCES, 'mappers.d'), path.join(doc, 'examples', 'mappers.d'), { recursive: true });
}

function findTool(name) {
  const folders = (process.env.PATH ?? '').split(':').filter(Boolean);
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file));
}
