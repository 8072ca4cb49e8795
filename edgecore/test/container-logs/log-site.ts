import { appendFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { ContainerLog, type ContainerLogOptions } from '../../src/container-logs/container-log.ts';
import type { LogQuery } from '../../src/container-logs/log-query.ts';

/** The log of a container on a real disk, written as a runtime does. */
export class LogSite {
  readonly dir: string;
  /** `…/default_a_uid/main/0.log` */
  readonly path: string;
  readonly #temp: TempDir;
  #line = 0;

  private constructor(temp: TempDir) {
    this.#temp = temp;
    this.dir = path.join(temp.path, 'default_a_uid', 'main');
    this.path = path.join(this.dir, '0.log');
  }

  static async open(): Promise<LogSite> {
    const site = new LogSite(await makeTempDir());
    await mkdir(site.dir, { recursive: true });
    return site;
  }

  close(): Promise<void> {
    return this.#temp.remove();
  }

  /** A path in the folder of the log. */
  file(name: string): string {
    return path.join(this.dir, name);
  }

  /** Lines as a runtime writes them, one a second from 2026-01-01T00:00:00Z on. */
  lines(count: number, text = 'line', stream = 'stdout', tag = 'F'): string {
    let lines = '';
    for (let index = 0; index < count; index++) {
      const time = new Date(Date.UTC(2026, 0, 1) + this.#line * 1000).toISOString().replace('.000Z', '.5Z');
      lines += `${time} ${stream} ${tag} ${text} ${this.#line++}\n`;
    }
    return lines;
  }

  write(content: string | Buffer, name = '0.log'): Promise<void> {
    return writeFile(this.file(name), content);
  }

  append(content: string | Buffer): Promise<void> {
    return appendFile(this.path, content);
  }

  rename(from: string, to: string): Promise<void> {
    return rename(this.file(from), this.file(to));
  }

  openLog(query: LogQuery, options: Partial<ContainerLogOptions> = {}): Promise<ContainerLog> {
    return ContainerLog.open({ path: this.path, query, signal: new AbortController().signal, ...options });
  }

  /** All that a query gives. */
  async read(query: LogQuery = {}, options: Partial<ContainerLogOptions> = {}): Promise<string> {
    return (await this.bytes(query, options)).toString('utf8');
  }

  async bytes(query: LogQuery = {}, options: Partial<ContainerLogOptions> = {}): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of await this.openLog(query, options)) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}

/** Follows a log, and keeps what it says. */
export class Follower {
  text = '';
  /** Resolves when following has ended; never rejects. */
  readonly done: Promise<void>;
  error: unknown;

  constructor(log: AsyncIterable<Uint8Array>) {
    this.done = this.#read(log);
  }

  async #read(log: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of log) this.text += Buffer.from(piece).toString('utf8');
    } catch (error) {
      this.error = error;
    }
  }
}
