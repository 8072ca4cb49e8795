import { PropertyError, type DriverValue, type Visit } from '@hawser/mapper-sdk';
import { seededRandom, type Clock, type Random } from '@hawser/seams';
import type { Fault, VirtualConfig, VirtualVisitor } from './schemas.ts';
import { Signal } from './signal.ts';

interface Kept {
  readonly signal: Signal;
  /** What it was made for: another visitor makes another signal. */
  readonly visitor: string;
}

/** A device that is not there. It goes on when its connection is closed, as a real one does. */
export class VirtualDevice {
  readonly #clock: Clock;
  readonly #seed: number;
  readonly #bornMs: number;
  readonly #signals = new Map<string, Kept>();

  constructor(clock: Clock, seed: number) {
    this.#clock = clock;
    this.#seed = seed;
    this.#bornMs = clock.monotonicMs();
  }

  /** What it does wrong now. */
  faultNow({ fault, faultAfterMs, faultForMs, faultEveryMs }: VirtualConfig): Fault {
    const sinceMs = this.#ageMs() - faultAfterMs;
    if (fault === 'none' || sinceMs < 0) return 'none';
    const withinMs = faultEveryMs === 0 ? sinceMs : sinceMs % faultEveryMs;
    return faultForMs === 0 || withinMs < faultForMs ? fault : 'none';
  }

  /** @throws PropertyError where the fault is `error` */
  read(visit: Visit<VirtualVisitor>, fault: Fault): DriverValue {
    if (fault === 'error') throw new PropertyError('simulated error');
    const signal = this.#signalOf(visit);
    return fault === 'wrong' ? signal.readWrong() : signal.read(this.#ageMs());
  }

  /** @throws PropertyError only an echo can be written; or the fault is `error` */
  write(visit: Visit<VirtualVisitor>, value: DriverValue, fault: Fault): void {
    if (fault === 'error') throw new PropertyError('simulated error');
    const { signal } = visit.visitor;
    if (signal !== 'echo') throw new PropertyError(`a ${signal} cannot be written, an echo can`);
    this.#signalOf(visit).write(value);
  }

  #ageMs(): number {
    return this.#clock.monotonicMs() - this.#bornMs;
  }

  #signalOf(visit: Visit<VirtualVisitor>): Signal {
    const visitor = `${visit.type} ${JSON.stringify(visit.visitor)}`;
    const kept = this.#signals.get(visit.property);
    if (kept?.visitor === visitor) return kept.signal;
    const signal = new Signal(visit, this.#randomOf(visit.property));
    this.#signals.set(visit.property, { signal, visitor });
    return signal;
  }

  /** Each property its own: how one goes does not depend on how often another is read. */
  #randomOf(property: string): Random {
    let hash = this.#seed;
    for (const character of property) hash = Math.imul(hash, 31) + (character.codePointAt(0) ?? 0);
    return seededRandom(hash);
  }
}
