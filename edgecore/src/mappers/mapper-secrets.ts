import { randomBytes, timingSafeEqual } from 'node:crypto';
import path from 'node:path';
import type { Logger } from '@hawser/seams';
import { DiskPkiFolder } from '../identity/pki-folder.ts';

const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
const ENDING = '.secret';

/** What mappers show that they are who they say: a secret each, `<data>/mappers/<name>.secret`. */
export class MapperSecrets {
  readonly #folder: DiskPkiFolder;
  readonly #secrets = new Map<string, string>();

  constructor(dataDir: string, log: Logger) {
    this.#folder = new DiskPkiFolder(path.join(dataDir, 'mappers'), log);
  }

  /** @throws EdgeCoreError `ERR_EDGECORE_PKI_DIR` */
  async open(): Promise<void> {
    await this.#folder.open();
  }

  /** Path of the file, for whoever starts the mapper. */
  file(name: string): string {
    return path.join(this.#folder.dir, `${name}${ENDING}`);
  }

  /** The secret of a mapper; made, and durable, where there is none that can be used. */
  async ensure(name: string): Promise<string> {
    const known = this.#secrets.get(name);
    if (known !== undefined) return known;
    const read = (await this.#folder.read(`${name}${ENDING}`))?.trim() ?? '';
    const secret = SECRET.test(read) ? read : randomBytes(SECRET_BYTES).toString('base64url');
    if (secret !== read) await this.#folder.write(`${name}${ENDING}`, `${secret}\n`);
    this.#secrets.set(name, secret);
    return secret;
  }

  /** Whether this is its secret; takes the same time whatever is wrong with it. */
  matches(name: string, said: Uint8Array | string): boolean {
    const known = this.#secrets.get(name);
    const given = Buffer.from(said);
    const wanted = Buffer.from(known ?? randomBytes(SECRET_BYTES).toString('base64url'));
    const padded = Buffer.alloc(wanted.length);
    given.copy(padded);
    return timingSafeEqual(padded, wanted) && given.length === wanted.length && known !== undefined;
  }
}
