// Who wrote what is in the package, and under which terms.
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { root } from '../run.js';
import { PackageError } from './architectures.js';
import { MAPPERS } from './bundles.js';
import { neededPackages } from './libraries.js';

const PROGRAMS = ['@hawser/edgecore', '@hawser/cli', ...MAPPERS.map((name) => `@hawser/mapper-${name}`)];

/** Writes `copyright`, and the terms of each part into `licenses.gz`. @param node the program */
export function writeCopyright(doc, node) {
  const packages = neededPackages(PROGRAMS).filter(({ name }) => !name.startsWith('@hawser/'));
  const head = readFileSync(path.join(root, 'packaging/deb/copyright'), 'utf8');
  const list = packages.map(({ name, version, license }) => ` ${name} ${version} (${license})`).join('\n');
  writeFileSync(path.join(doc, 'copyright'), `${head}${list}\n`);
  const texts = [
    `Node.js\n\n${licenseOfNode(node)}`,
    ...packages.map(
      ({ name, version, license, dir }) => `${name} ${version}\n\n${licenseIn(dir) ?? license}`,
    ),
  ];
  const whole = texts.join(`\n\n${'-'.repeat(80)}\n\n`);
  writeFileSync(path.join(doc, 'licenses.gz'), gzipSync(whole, { level: 9 }));
}

function licenseIn(dir) {
  const name = readdirSync(dir).find((each) => /^licen[cs]e/i.test(each));
  return name && readFileSync(path.join(dir, name), 'utf8');
}

/** Beside the program, above its folder `bin`, or where Debian has it. @throws PackageError */
function licenseOfNode(node) {
  const dir = path.dirname(realpathSync(node));
  const files = [dir, path.dirname(dir), '/usr/share/doc/nodejs'].flatMap((folder) =>
    ['LICENSE', 'LICENSE.gz'].map((name) => path.join(folder, name)),
  );
  const found = files.find((file) => existsSync(file));
  if (found === undefined)
    throw new PackageError(`the LICENSE of Node.js is in none of: ${files.join(', ')}`);
  const bytes = readFileSync(found);
  return (found.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
}
