import { stat, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { EdgeCoreError } from '../errors.ts';
import { RUNTIME_API_VERSION, type RuntimeProvider } from './runtime-provider.ts';

const ROOT = 0;
/** Writable by the group or by everybody. */
const OTHERS_WRITE = 0o022;
/** In a folder like /tmp nobody replaces what is another's. */
const STICKY = 0o1000;

/**
 * Loads the provider of a runtime: code that runs as the edge core. So it has to be below folders that nobody but root,
 * or whoever the edge core runs as, can write to.
 *
 * @param name absolute path of a module, or name of a package that is found from the edge core's own program, as Node.js
 *   finds packages
 * @throws EdgeCoreError `ERR_EDGECORE_RUNTIME_PROVIDER…`
 */
export async function loadProvider(name: string): Promise<RuntimeProvider<unknown>> {
  const file = await findModule(name);
  await checkOwners(name, file);
  let loaded: { readonly default?: unknown };
  try {
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded;
  } catch (cause) {
    const message = `pods.runtime: ${name} (${file}) cannot be loaded: ${(cause as Error).message}`;
    throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_PROVIDER', message, { about: name, cause });
  }
  return checkProvider(name, loaded.default);
}

async function findModule(name: string): Promise<string> {
  try {
    const found = path.isAbsolute(name) ? name : createRequire(import.meta.url).resolve(name);
    return await realpath(found);
  } catch (cause) {
    const where = path.isAbsolute(name)
      ? 'there is no such file'
      : 'there is no such package beside the edge core';
    const message = `pods.runtime: ${name}: ${where}`;
    throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_PROVIDER_MISSING', message, { about: name, cause });
  }
}

async function checkOwners(name: string, file: string): Promise<void> {
  const own = process.geteuid?.() ?? ROOT;
  for (let each = file; ; each = path.dirname(each)) {
    const { uid, mode } = await stat(each);
    const isSticky = each !== file && (mode & STICKY) !== 0;
    const why =
      uid !== ROOT && uid !== own
        ? `belongs to user ${uid}`
        : (mode & OTHERS_WRITE) !== 0 && !isSticky
          ? 'can be written by others'
          : undefined;
    if (why !== undefined) {
      const message = `pods.runtime: ${name} runs as the edge core, and is not loaded: ${each} ${why}`;
      throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_PROVIDER_UNSAFE', message, { about: name });
    }
    if (path.dirname(each) === each) return;
  }
}

function checkProvider(name: string, value: unknown): RuntimeProvider<unknown> {
  const { apiVersion, create } = (value ?? {}) as Partial<RuntimeProvider<unknown>>;
  if (typeof apiVersion !== 'string' || typeof create !== 'function') {
    const message = `pods.runtime: ${name} has no default export {apiVersion, create}: it is no provider of a runtime`;
    throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_PROVIDER', message, { about: name });
  }
  if (apiVersion !== RUNTIME_API_VERSION) {
    const message = `pods.runtime: ${name} is made for ${apiVersion}; this edge core has ${RUNTIME_API_VERSION}`;
    throw new EdgeCoreError('ERR_EDGECORE_RUNTIME_PROVIDER', message, { about: name });
  }
  return value as RuntimeProvider<unknown>; // what of it is used was looked at
}
