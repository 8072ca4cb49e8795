import type { ServedDevice } from '../devices/served-device.ts';
import { Line, type LineContext, type LineState } from './line.ts';
import type { ReadNow } from './line-work.ts';

/** Brings each device to the connection that its configuration names. */
export class LinePool {
  readonly #context: LineContext;
  readonly #lines = new Map<string, Line>();
  readonly #lineOf = new Map<string, Line>();
  #stopped = false;

  constructor(context: LineContext) {
    this.#context = context;
  }

  /** Serves a device; one of the same id is replaced. */
  serve(device: ServedDevice): void {
    if (this.#stopped) return;
    const { driver } = this.#context;
    // Names of Kubernetes have no space: a text of the driver is never the id of a device.
    const key = driver.connectionOf?.(device.address.config) ?? `device ${device.id}`;
    const before = this.#lineOf.get(device.id);
    const line = this.#lineFor(key);
    if (before !== undefined && before !== line) before.remove(device.id);
    this.#lineOf.set(device.id, line);
    line.add(device);
  }

  remove(id: string): void {
    this.#lineOf.get(id)?.remove(id);
    this.#lineOf.delete(id);
  }

  /** There is something new to do for a device. */
  wake(id: string): void {
    this.#lineOf.get(id)?.wake();
  }

  readNow(request: ReadNow): void {
    const line = this.#lineOf.get(request.device);
    if (line === undefined) request.reject(new Error('there is no such device'));
    else line.readNow(request);
  }

  /** How many connections are in which state. */
  states(): Readonly<Record<LineState, number>> {
    const states: Record<LineState, number> = { idle: 0, opening: 0, open: 0, waiting: 0 };
    for (const { state } of this.#lines.values()) states[state] += 1;
    return states;
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#lines.values()].map((line) => line.stop()));
  }

  #lineFor(key: string): Line {
    const known = this.#lines.get(key);
    if (known !== undefined) return known;
    const line = new Line(key, this.#context, (idle) => this.#drop(idle));
    this.#lines.set(key, line);
    return line;
  }

  /** It has closed its connection: the same text may be opened by another line from now on. */
  #drop(line: Line): void {
    if (this.#lines.get(line.key) !== line || line.size > 0) return;
    this.#lines.delete(line.key);
    void line.stop();
  }
}
