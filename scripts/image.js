// npm run image [-- --name NAME] [--out FILE] [--fast] [--tree FOLDER]: writes cloudcore's container image as an OCI
// archive, without docker, for the processor that this runs on; after `npm run build`.
// --name: with a tag; default hawser/cloudcore:VERSION. --fast: not compressed, for tests.
// --tree: the files of the image into a folder instead, which packaging/Containerfile makes an image of.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeImage, makeLayer, writeOciArchive } from '@hawser/seams/oci-image';
import { ENTRYPOINT, rootFs, USER } from './image/root-fs.js';
import { root, say } from './run.js';

const { version } = JSON.parse(readFileSync(path.join(root, 'cloudcore/package.json'), 'utf8'));
const { values } = parseArgs({
  options: {
    name: { type: 'string', default: `hawser/cloudcore:${version}` },
    out: { type: 'string' },
    fast: { type: 'boolean', default: false },
    tree: { type: 'string' },
  },
});

/** As container runtimes name images: with a registry, which is Docker's where none is said. */
function fullName(name) {
  const [first] = name.split('/');
  return /[.:]|^localhost$/.test(first) && name.includes('/') ? name : `docker.io/${name}`;
}

function writeTree(folder, layers) {
  for (const { path: name, type, mode, content } of layers.flat()) {
    const file = path.join(folder, name);
    if (type === 'folder') mkdirSync(file, { recursive: true, mode: mode ?? 0o755 });
    else writeFileSync(file, content, { mode: mode ?? 0o644 });
  }
  say(`wrote ${folder}`);
}

function writeArchive(file, layers) {
  const image = makeImage(
    fullName(values.name),
    layers.map((entries) => makeLayer(entries, values.fast ? 0 : 9)),
    {
      User: `${USER}:${USER}`,
      Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
      Entrypoint: ENTRYPOINT,
      WorkingDir: '/',
      Labels: {
        'org.opencontainers.image.title': 'Hawser cloudcore',
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.licenses': 'Apache-2.0',
      },
    },
  );
  const archive = writeOciArchive([image]);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, archive);
  say(`${path.relative(process.cwd(), file)}: ${image.name}, ${(archive.length / 2 ** 20).toFixed(1)} MiB`);
  console.log(
    JSON.stringify({ file, name: image.name, digest: image.manifest.digest, bytes: archive.length }),
  );
}

try {
  const layers = await rootFs();
  if (values.tree !== undefined) writeTree(path.resolve(values.tree), layers);
  else writeArchive(path.resolve(values.out ?? path.join(root, 'dist', `cloudcore-${version}.tar`)), layers);
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}
