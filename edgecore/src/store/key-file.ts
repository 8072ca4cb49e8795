import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { EdgeCoreError } from '../errors.ts';
import { reasonOf } from './damage.ts';
import type { DataDir } from './data-dir.ts';

const KEY_BYTES = 32;
/** Less is no key, but what a cut left of one. */
const LIMIT_KEY_BYTES = { least: 16, most: 4096 } as const;

/** Name of the credential in `$CREDENTIALS_DIRECTORY` (systemd.exec(5), `LoadCredentialEncrypted=`). */
export const KEY_CREDENTIAL = 'hawser-store-key';

/**
 * What the key is derived from: the credential that systemd gives, or the key file, which is made at first use, and
 * again if it holds no key. On a read-only file system without a key: a random one, which opens nothing.
 * @throws EdgeCoreError `ERR_EDGE_STORE_KEY`
 */
export function loadKey(dir: DataDir, credentialsDir: string | undefined, readOnly: boolean): Uint8Array {
  const credential = credentialsDir === undefined ? '' : path.join(credentialsDir, KEY_CREDENTIAL);
  if (credential !== '' && existsSync(credential)) {
    const material = read(credential);
    if (isKey(material)) return material;
    throw new EdgeCoreError(
      'ERR_EDGE_STORE_KEY',
      `the credential ${credential} has ${material.length} bytes; a key has ${LIMIT_KEY_BYTES.least} to ${LIMIT_KEY_BYTES.most}`,
      { about: credential },
    );
  }
  const material = existsSync(dir.key) ? read(dir.key) : new Uint8Array(0);
  if (isKey(material)) return material;
  const made = randomBytes(KEY_BYTES);
  if (!readOnly) write(dir, made);
  return made;
}

function isKey(material: Uint8Array): boolean {
  return material.length >= LIMIT_KEY_BYTES.least && material.length <= LIMIT_KEY_BYTES.most;
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw keyError(file, error);
  }
}

/** Whole or not at all, and durable before anything is encrypted with it. */
function write(dir: DataDir, material: Uint8Array): void {
  const temporary = `${dir.key}.new`;
  try {
    const file = openSync(temporary, 'w', 0o600);
    try {
      writeSync(file, material);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, dir.key);
    dir.sync();
  } catch (error) {
    throw keyError(dir.key, error);
  }
}

function keyError(file: string, cause: unknown): EdgeCoreError {
  return new EdgeCoreError('ERR_EDGE_STORE_KEY', `the key ${file} cannot be used: ${reasonOf(cause)}`, {
    about: file,
    cause,
  });
}
