// npm run package [-- --arch ARCH] [--version VERSION] [--out FOLDER] [--parts FOLDER] [--without-quic]
// [--fast]: builds
// dist/hawser-edgecore_VERSION_ARCH.deb, with everything that an edge node needs in it, a Node.js of its own included.
// --fast: made in seconds and larger, for tests. --version: another one than that of package.json.
// --without-quic: for where its addon cannot be had; such an edge connects by WebSocket.
// --parts: where a Node.js and native addons for another processor than this one are (packaging/README.md).
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { architecture, ARCHITECTURES, thisArchitecture } from './package/architectures.js';
import { buildDeb } from './package/deb.js';
import { findParts } from './package/parts.js';
import { stage } from './package/stage.js';
import { root, say } from './run.js';

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: thisArchitecture() },
    version: { type: 'string' },
    out: { type: 'string', default: path.join(root, 'dist') },
    parts: { type: 'string' },
    'without-quic': { type: 'boolean', default: false },
    fast: { type: 'boolean', default: false },
  },
});

try {
  const arch = architecture(values.arch);
  const folder = path.resolve(values.parts ?? path.join(root, '.cache', 'package', arch.debian));
  const parts = findParts(arch, folder, values['without-quic']);
  const version = values.version ?? JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version;
  const tree = mkdtempSync(path.join(tmpdir(), 'hawser-deb-'));
  try {
    say(`packing hawser-edgecore ${version} for ${arch.debian} …`);
    await stage(tree, { arch, parts, version });
    mkdirSync(values.out, { recursive: true });
    const { file, bytes, installedBytes } = await buildDeb(tree, { ...values, arch, version });
    const mib = (count) => (count / 2 ** 20).toFixed(1);
    say(`${path.relative(process.cwd(), file)}: ${mib(bytes)} MiB, ${mib(installedBytes)} MiB installed`);
    console.log(
      JSON.stringify({
        file,
        version,
        arch: arch.debian,
        quic: parts.quic !== undefined,
        bytes,
        installedBytes,
      }),
    );
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
} catch (error) {
  if (error?.code !== 'ERR_PACKAGE') throw error;
  say(error.message);
  say(`Architectures: ${Object.keys(ARCHITECTURES).join(', ')}; see packaging/README.md.`);
  process.exitCode = 1;
}
