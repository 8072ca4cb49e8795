import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MapperError, messageOf } from '../errors.ts';

const TEMPLATE = path.resolve(import.meta.dirname, '../../../template');
/** What the template calls the protocol, and its types. */
const PLACEHOLDER = { name: 'my-protocol', type: 'MyProtocol' } as const;
const LABEL = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const NAME_MAX = 40;
/** Of the folder of a template that somebody has tried: never copied. */
const LEFT_OUT = new Set(['node_modules', 'dist', 'package-lock.json']);

/** What {@link newMapper} makes. */
export interface NewMapperOptions {
  /** Of the protocol: lower case, as in `spec.protocol.protocolName`. */
  readonly name: string;
  /** Made if it is not there. */
  readonly dir: string;
  /** Folder of Hawser's repository, built: packages are taken from there. undefined: from the registry. */
  readonly from: string | undefined;
}

/**
 * Makes a package for a driver from the template.
 * @returns the files, relative to `dir`
 * @throws MapperError `ERR_MAPPER_TEMPLATE`
 */
export async function newMapper({ name, dir, from }: NewMapperOptions): Promise<readonly string[]> {
  if (!LABEL.test(name) || name.length > NAME_MAX) {
    throw new MapperError(
      'ERR_MAPPER_TEMPLATE',
      `"${name}" is not the name of a protocol: lower case letters, digits and "-", at most ${NAME_MAX}`,
    );
  }
  try {
    await mkdir(dir, { recursive: true });
    if ((await readdir(dir)).length > 0) throw new Error('it is not empty');
    await cp(TEMPLATE, dir, { recursive: true, filter: (source) => !LEFT_OUT.has(path.basename(source)) });
  } catch (cause) {
    throw new MapperError('ERR_MAPPER_TEMPLATE', `${dir}: ${messageOf(cause)}`, { cause });
  }
  const files = await filesBelow(dir);
  const renamed = await Promise.all(files.map((file) => fillIn(dir, file, name)));
  if (from !== undefined) await takePackagesFrom(path.resolve(from), dir);
  return renamed.sort();
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)));
}

/** @returns the name of the file, in which the placeholder is replaced as well */
async function fillIn(dir: string, file: string, name: string): Promise<string> {
  const type = name.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const replaced = (text: string): string =>
    text.replaceAll(PLACEHOLDER.name, name).replaceAll(PLACEHOLDER.type, type);
  const text = await readFile(path.join(dir, file), 'utf8');
  await writeFile(path.join(dir, file), replaced(text));
  const target = replaced(file);
  if (target !== file) await rename(path.join(dir, file), path.join(dir, target));
  return target;
}

/** Dependencies become links into the repository, whose packages are installed there. */
async function takePackagesFrom(root: string, dir: string): Promise<void> {
  const file = path.join(dir, 'package.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, Record<string, string>>;
  for (const field of ['dependencies', 'devDependencies']) {
    for (const name of Object.keys(manifest[field] ?? {})) {
      const folder = name === '@hawser/mapper-sdk' ? 'mappers/sdk' : `node_modules/${name}`;
      Object.assign(manifest[field] ?? {}, { [name]: `file:${path.join(root, folder)}` });
    }
  }
  await writeFile(file, `${JSON.stringify(manifest, undefined, 2)}\n`);
}
