import { deferred, type Deferred } from '@hawser/seams';

/** A message for a broker. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** One that waits, or is on its way. */
export interface Outgoing extends OutgoingMessage {
  /** The broker has it, or it was given up. */
  readonly done: Deferred<undefined>;
}

/** Bounds of {@link OutgoingMessages}. */
export interface OutgoingLimits {
  /** Topics of which the latest retained message waits. */
  readonly retained: number;
  /** Messages that are not retained. */
  readonly others: number;
  readonly bytes: number;
}

/** On their way to the broker at a time. */
const WINDOW = 64;
const OVERHEAD_BYTES = 200;

/** What waits for a broker, in order: of each retained topic the latest, of the others so many. */
export class OutgoingMessages {
  readonly #limits: OutgoingLimits;
  readonly #onDrop: () => void;
  readonly #retained = new Map<string, Outgoing>();
  readonly #waiting = new Set<Outgoing>();
  readonly #underWay = new Set<Outgoing>();
  #bytes = 0;
  #others = 0;

  constructor(limits: OutgoingLimits, onDrop: () => void) {
    this.#limits = limits;
    this.#onDrop = onDrop;
  }

  get length(): number {
    return this.#waiting.size + this.#underWay.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the broker has it, another one of its retained topic has come, or it was dropped for lack of room. */
  add(message: OutgoingMessage): Promise<undefined> {
    const outgoing: Outgoing = { ...message, done: deferred() };
    const before = message.retain ? this.#retained.get(message.topic) : undefined;
    // What is on its way may be there already: the newer one follows it.
    if (before !== undefined && this.#waiting.has(before)) this.#end(before);
    if (!this.#fits(outgoing)) {
      this.#onDrop();
      outgoing.done.resolve(undefined);
      return outgoing.done.promise;
    }
    this.#bytes += sizeOf(outgoing);
    if (message.retain) this.#retained.set(message.topic, outgoing);
    else this.#others += 1;
    this.#waiting.add(outgoing);
    return outgoing.done.promise;
  }

  /** The next one to send; undefined: none, or enough are on their way. */
  next(): Outgoing | undefined {
    if (this.#underWay.size >= WINDOW) return undefined;
    const [first] = this.#waiting;
    if (first === undefined) return undefined;
    this.#waiting.delete(first);
    this.#underWay.add(first);
    return first;
  }

  /** The broker has it. */
  delivered(outgoing: Outgoing): void {
    if (this.#underWay.has(outgoing)) this.#end(outgoing);
  }

  /** The connection is gone: what was on its way is sent again, first, unless a newer one of its topic waits. */
  takeBack(): void {
    const waiting = [...this.#waiting];
    const again = [...this.#underWay];
    this.#waiting.clear();
    this.#underWay.clear();
    for (const outgoing of again) {
      const isOld = outgoing.retain && this.#retained.get(outgoing.topic) !== outgoing;
      if (isOld) this.#end(outgoing);
      else this.#waiting.add(outgoing);
    }
    for (const outgoing of waiting) this.#waiting.add(outgoing);
  }

  /** Gives up all of it. */
  clear(): void {
    for (const outgoing of [...this.#waiting, ...this.#underWay]) this.#end(outgoing);
  }

  #fits(outgoing: Outgoing): boolean {
    const { retained, others, bytes } = this.#limits;
    if (this.#bytes + sizeOf(outgoing) > bytes) return false;
    return outgoing.retain ? this.#retained.size < retained : this.#others < others;
  }

  #end(outgoing: Outgoing): void {
    this.#waiting.delete(outgoing);
    this.#underWay.delete(outgoing);
    this.#bytes -= sizeOf(outgoing);
    if (!outgoing.retain) this.#others -= 1;
    else if (this.#retained.get(outgoing.topic) === outgoing) this.#retained.delete(outgoing.topic);
    outgoing.done.resolve(undefined);
  }
}

function sizeOf({ topic, payload }: OutgoingMessage): number {
  return topic.length + payload.length + OVERHEAD_BYTES;
}
