import { badRequest } from '../status/status-errors.ts';

/** Far deeper than any API object, and far from the end of the stack. */
const DEPTH_LIMIT = 500;

/** A value and roughly what it takes in memory. */
export interface FrozenJson<T> {
  readonly value: T;
  /** An estimate, in bytes; what bounds of memory count. */
  readonly sizeBytes: number;
}

/**
 * Copies a JSON value into a deeply frozen one, so that what was stored can be handed to every reader without a
 * copy, and the writer can go on using its own. Members that are `undefined` are left out, as JSON does.
 * @throws StatusError BadRequest for what JSON cannot hold: functions, bigints, NaN, class instances, cycles.
 */
export function freezeJson<T>(value: T): FrozenJson<T> {
  const copier = new Copier();
  const copy = copier.copy(value, 0) as T; // a copy has the shape of its original
  return { value: copy, sizeBytes: copier.sizeBytes };
}

/** Freezes what JSON.parse just made, and nobody else has: as deep as {@link freezeJson}, without its copy. */
export function freezeParsed<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) freezeParsed(member);
  return Object.freeze(value);
}

class Copier {
  sizeBytes = 0;

  copy(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        this.sizeBytes += 16 + value.length;
        return value;
      case 'number':
        if (!Number.isFinite(value)) throw badRequest(`a JSON number cannot be ${value}`);
        this.sizeBytes += 8;
        return value;
      case 'boolean':
        this.sizeBytes += 8;
        return value;
      case 'object':
        if (value === null) return null;
        if (depth >= DEPTH_LIMIT) throw badRequest(`the object is nested deeper than ${DEPTH_LIMIT} levels`);
        return Array.isArray(value) ? this.#copyArray(value, depth) : this.#copyObject(value, depth);
      default:
        throw badRequest(`JSON has no ${typeof value}`);
    }
  }

  #copyArray(items: readonly unknown[], depth: number): readonly unknown[] {
    this.sizeBytes += 16 + 8 * items.length;
    return Object.freeze(items.map((item) => this.copy(item ?? null, depth + 1)));
  }

  #copyObject(source: object, depth: number): object {
    const prototype: unknown = Object.getPrototypeOf(source);
    if (prototype !== Object.prototype && prototype !== null) {
      throw badRequest(`JSON has no ${source.constructor.name}`);
    }
    const copy: Record<string, unknown> = {};
    this.sizeBytes += 24;
    for (const [key, member] of Object.entries(source)) {
      if (member === undefined) continue;
      this.sizeBytes += 8 + key.length;
      const frozen = this.copy(member, depth + 1);
      if (key === '__proto__') {
        // Plain assignment would set the prototype instead of a member.
        Object.defineProperty(copy, key, { value: frozen, enumerable: true });
      } else {
        copy[key] = frozen;
      }
    }
    return Object.freeze(copy);
  }
}
