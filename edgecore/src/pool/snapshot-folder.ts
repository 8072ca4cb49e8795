import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@hawser/seams';
import { BodyCodec } from '../store/body-codec.ts';
import { DataDir } from '../store/data-dir.ts';
import { loadKey } from '../store/key-file.ts';
import { FORM } from '../store/tables.ts';

/** Where snapshots of scopes are kept. */
export interface SnapshotStore {
  /** Whether the disk took the last write. */
  readonly writable: boolean;
  /** Finds out whether the disk takes writes. @throws what the file system says */
  probe(): Promise<void>;
  /** undefined: there is none, or none that can be read. */
  load(scope: string): Promise<Uint8Array | undefined>;
  /** Durable once it resolves. @throws what the file system says; then the one before is still there */
  save(scope: string, snapshot: Uint8Array): Promise<void>;
  /** Forgets all but these. */
  keepOnly(scopes: readonly string[]): Promise<void>;
  /** What is there for a scope cannot be used: it is set aside. */
  setAside(scope: string, why: string): Promise<void>;
}

/** Settings of a {@link SnapshotFolder}. */
export interface SnapshotFolderOptions {
  /** `data.dir`: the key of the edge store is in it, or given by systemd. */
  readonly dataDir: string;
  /** Default: `$CREDENTIALS_DIRECTORY`. */
  readonly credentialsDir?: string;
  readonly log: Logger;
}

const SUFFIX = '.snap';
const ASIDE = '.damaged';
const NEXT = '.new';
/** First bytes of a file: what it is, and how the rest is written. */
const MAGIC = Buffer.from('hwsnap1\0', 'latin1');
const LIMIT_BYTES = 128 * 1024 * 1024;
/** Stands for all of them in the file that shows whether the disk takes writes. */
const PROBE = 'probe';
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Snapshots in `<data.dir>/pool` (0700, files 0600), one file for each scope, encrypted with the key of the edge store: what
 * RBAC objects and the like say is nobody's business. Written to a file of its own, flushed, then renamed; the folder is
 * flushed after it.
 */
export class SnapshotFolder implements SnapshotStore {
  readonly #options: SnapshotFolderOptions;
  readonly #folder: string;
  #codec: BodyCodec | undefined;
  #writable = false;

  constructor(options: SnapshotFolderOptions) {
    this.#options = options;
    this.#folder = path.join(options.dataDir, 'pool');
  }

  get writable(): boolean {
    return this.#writable;
  }

  /** Makes the folder, reads the key, removes what a cut left. Called once; never rejects: without a disk it goes on without. */
  async open(): Promise<void> {
    const { dataDir, credentialsDir = process.env['CREDENTIALS_DIRECTORY'], log } = this.#options;
    try {
      await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
      for (const name of await readdir(this.#folder))
        if (name.endsWith(NEXT)) await rm(path.join(this.#folder, name), { force: true });
      this.#codec = new BodyCodec(loadKey(new DataDir(dataDir), credentialsDir, false));
      await this.probe();
    } catch (error) {
      log.error({ err: error, folder: this.#folder }, 'snapshots of the pool cannot be kept');
    }
  }

  async probe(): Promise<void> {
    await this.save(PROBE, new Uint8Array(0));
  }

  async load(scope: string): Promise<Uint8Array | undefined> {
    const file = this.#fileOf(scope);
    let bytes: Uint8Array;
    try {
      bytes = await readFile(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#options.log.warn({ err: error, scope }, 'a snapshot cannot be read');
      return undefined;
    }
    try {
      if (this.#codec === undefined || Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0)
        throw new TypeError('it is no snapshot of this release');
      const stored = { form: FORM.sealed, body: bytes.subarray(MAGIC.length) };
      return this.#codec.unwrap(stored, placeOf(scope), LIMIT_BYTES);
    } catch (error) {
      await this.setAside(scope, error instanceof Error ? error.message : String(error));
      return undefined;
    }
  }

  async save(scope: string, snapshot: Uint8Array): Promise<void> {
    try {
      if (this.#codec === undefined) throw new TypeError('there is no key');
      const { body } = this.#codec.wrap(snapshot, placeOf(scope), true);
      await this.#write(this.#fileOf(scope), Buffer.concat([MAGIC, body]));
      this.#writable = true;
    } catch (error) {
      this.#writable = false;
      throw error;
    }
  }

  async keepOnly(scopes: readonly string[]): Promise<void> {
    const kept = new Set([...scopes, PROBE].map((scope) => path.basename(this.#fileOf(scope))));
    for (const name of await readdir(this.#folder))
      if (name.endsWith(SUFFIX) && !kept.has(name)) await rm(path.join(this.#folder, name), { force: true });
  }

  async setAside(scope: string, why: string): Promise<void> {
    const { log } = this.#options;
    const file = this.#fileOf(scope);
    log.warn({ scope, file: `${file}${ASIDE}` }, `a snapshot is set aside: ${why}`);
    await rename(file, `${file}${ASIDE}`).catch((error: unknown) => {
      log.warn({ err: error, scope }, 'a snapshot that cannot be used cannot be set aside either');
    });
  }

  async #write(file: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true, mode: FOLDER_MODE });
    const next = `${file}${NEXT}`;
    const handle = await open(next, 'w', FILE_MODE);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, file);
    const folder = await open(this.#folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  /** Names of pools and resources may be longer than names of files. */
  #fileOf(scope: string): string {
    const name = createHash('sha256').update(scope).digest('hex').slice(0, 32);
    return path.join(this.#folder, `${name}${SUFFIX}`);
  }
}

/** A file that was moved to another scope's does not open. */
function placeOf(scope: string): readonly string[] {
  return ['pool snapshot', scope];
}
