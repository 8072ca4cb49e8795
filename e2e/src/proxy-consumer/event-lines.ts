import { createWriteStream, type WriteStream } from 'node:fs';

/** One line of what a consumer saw. */
export interface ConsumerEvent {
  readonly resource: string;
  /**
   * `add`, `update`, `delete`: of an object. `connect`: a list or a watch begins. `error`: an informer has ended, and is
   * started again; `restart`: so is kubectl. `synced`: everything was seen once. `applied`: rules are in the kernel.
   */
  readonly event:
    'add' | 'update' | 'delete' | 'connect' | 'restart' | 'error' | 'synced' | 'applied' | 'apply-failed';
  readonly key?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly message?: string;
  readonly services?: number;
  readonly tookMs?: number;
}

/** Writes events as JSON, one a line, with a number and the time; every line is whole. */
export class EventLines {
  readonly #out: WriteStream | NodeJS.WritableStream;
  #seq = 0;

  /** @param file default: standard output */
  constructor(file?: string) {
    this.#out = file === undefined ? process.stdout : createWriteStream(file, { flags: 'a' });
  }

  say(event: ConsumerEvent): void {
    this.#seq += 1;
    this.#out.write(`${JSON.stringify({ seq: this.#seq, at: new Date().toISOString(), ...event })}\n`);
  }
}
