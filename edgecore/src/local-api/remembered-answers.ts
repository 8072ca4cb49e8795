import { createHash } from 'node:crypto';
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Logger } from '@hawser/seams';
import { DiskPkiFolder, type PkiFolder } from '../identity/pki-folder.ts';

/** An answer of the API server, as clients are given it. */
export interface RememberedAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** As it came: compressed where the headers say so. */
  readonly body: Buffer;
}

/** Bounds of what is remembered. */
export interface RememberedLimits {
  /** All of it on the disk. Default 2 MiB. */
  readonly bytes: number;
  /** One answer. Default 768 KiB. */
  readonly answerBytes: number;
}

const LIMITS: RememberedLimits = { bytes: 2 * 1024 * 1024, answerBytes: 768 * 1024 };
const NAME = /^[0-9a-f]{32}$/;

interface Kept {
  readonly bytes: number;
  /** Of what is in the file; '': not known, it is from before the start. */
  readonly digest: string;
}

/**
 * Answers of the API server that tell what there is (discovery, OpenAPI, version), on the disk: a client that comes after
 * a restart without a cloud finds its way. What is asked for longest ago goes first. Written only where it is another one.
 */
export class RememberedAnswers {
  readonly #dir: string;
  readonly #folder: PkiFolder;
  readonly #limits: RememberedLimits;
  readonly #log: Logger;
  /** By file, the latest used last. */
  readonly #kept = new Map<string, Kept>();
  #work: Promise<unknown> = Promise.resolve();

  /** @param dir a folder of its own */
  constructor(dir: string, log: Logger, limits: Partial<RememberedLimits> = {}) {
    this.#dir = dir;
    this.#folder = new DiskPkiFolder(dir, log);
    this.#limits = { ...LIMITS, ...limits };
    this.#log = log;
  }

  get count(): number {
    return this.#kept.size;
  }

  /** On the disk. */
  get bytes(): number {
    let bytes = 0;
    for (const kept of this.#kept.values()) bytes += kept.bytes;
    return bytes;
  }

  /** Looks what there is. Never rejects: nothing to remember is no failure. */
  async start(): Promise<void> {
    try {
      await this.#folder.open();
      const files = (await readdir(this.#dir)).filter((name) => NAME.test(name));
      const found = await Promise.all(
        files.map(async (name) => {
          const { size, mtimeMs } = await stat(path.join(this.#dir, name));
          return { name, size, mtimeMs };
        }),
      );
      found.sort((a, b) => a.mtimeMs - b.mtimeMs);
      for (const { name, size } of found) this.#kept.set(name, { bytes: size, digest: '' });
      await this.#shrink();
    } catch (error) {
      this.#log.warn({ err: error }, 'what the API server has told of itself cannot be looked up');
    }
  }

  /** What was last answered; undefined: nothing is known. Never rejects. */
  async get(url: string, accept: string): Promise<RememberedAnswer | undefined> {
    const name = nameOf(url, accept);
    await this.#work; // what was just answered is on its way to the disk
    if (!this.#kept.has(name)) return undefined;
    try {
      const bytes = await readFile(path.join(this.#dir, name));
      const { headers, body } = JSON.parse(bytes.toString('utf8')) as {
        headers: Record<string, string>;
        body: string;
      };
      this.#touch(name);
      return { headers, body: Buffer.from(body, 'base64') };
    } catch (error) {
      this.#log.warn({ err: error, url }, 'a remembered answer of the API server cannot be read');
      this.#kept.delete(name);
      return undefined;
    }
  }

  /** Keeps an answer. Never rejects. */
  async put(url: string, accept: string, answer: RememberedAnswer): Promise<void> {
    const name = nameOf(url, accept);
    const text = JSON.stringify({ headers: answer.headers, body: answer.body.toString('base64') });
    const digest = createHash('sha256').update(text).digest('base64');
    if (text.length > this.#limits.answerBytes || this.#kept.get(name)?.digest === digest) return;
    const write = this.#work.then(async () => {
      await this.#folder.write(name, text);
      this.#kept.set(name, { bytes: text.length, digest });
      this.#touch(name);
      await this.#shrink();
    });
    this.#work = write.catch((error: unknown) => {
      this.#log.warn({ err: error, url }, 'an answer of the API server cannot be remembered');
    });
    await this.#work;
  }

  #touch(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#kept.delete(name);
    this.#kept.set(name, kept);
  }

  async #shrink(): Promise<void> {
    let { bytes } = this;
    for (const [name, kept] of this.#kept) {
      if (bytes <= this.#limits.bytes) return;
      bytes -= kept.bytes;
      this.#kept.delete(name);
      await rm(path.join(this.#dir, name), { force: true });
    }
  }
}

function nameOf(url: string, accept: string): string {
  return createHash('sha256').update(`${url}\0${accept}`).digest('hex').slice(0, 32);
}
