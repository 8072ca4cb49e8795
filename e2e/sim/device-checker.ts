import { WRITABLE } from './device-fields.ts';

/** What a {@link DeviceChecker} needs. */
export interface DeviceCheckerOptions {
  /** Whether the API server went back to an older state: then what was newest is not what it was. */
  readonly wentBack: () => boolean;
  readonly fail: (what: string) => void;
  readonly log: (what: string) => void;
}

/** A value that was set at the edge. */
interface LocalSetting {
  readonly value: string;
  /** Number of the setting of a person in the cloud that it knew of. */
  basis: number;
  /** In the order in which they were made. */
  readonly order: number;
  acknowledged: boolean;
}

/** What was set of one property of one device. Values are never set twice: each tells who has set it. */
interface History {
  /** By value: number of each setting of a person in the cloud. */
  readonly people: Map<string, number>;
  readonly local: Map<string, LocalSetting>;
  lastPerson: number;
}

/**
 * Watches over settings of devices with eyes of its own: what a person has set in the cloud last is never overridden by an edge
 * that did not know of it, and what was acknowledged at an edge is there unless something newer is.
 */
export class DeviceChecker {
  readonly #options: DeviceCheckerOptions;
  readonly #histories = new Map<string, History>();
  /** Values that a life of a mapper has written to a register: none twice. */
  readonly #written = new WeakMap<object, Set<string>>();
  /** Newest setting of a person that has reached the mapper, by UID and property. */
  readonly #reached = new Map<string, number>();
  #order = 0;
  #people = 0;

  constructor(options: DeviceCheckerOptions) {
    this.#options = options;
  }

  /** A person sets a value in the cloud. */
  setByPerson(uid: string, property: string, value: string): void {
    const history = this.#historyOf(uid, property);
    this.#people += 1;
    this.#options.log(`${uid}/${property}=${value} by a person`);
    history.people.set(value, this.#people);
    history.lastPerson = this.#people;
  }

  /** A value is about to be set at the edge, over what is in force there. */
  setAtEdge(uid: string, property: string, value: string, over: string | undefined): void {
    this.#order += 1;
    const history = this.#historyOf(uid, property);
    const basis = basisOf(history, over);
    this.#options.log(`${uid}/${property}=${value} at the edge, over ${over ?? 'nothing'}`);
    history.local.set(value, { value, basis, order: this.#order, acknowledged: false });
  }

  acknowledged(uid: string, property: string, value: string): void {
    this.#options.log(`${uid}/${property}=${value} was acknowledged`);
    const setting = this.#historyOf(uid, property).local.get(value);
    if (setting !== undefined) setting.acknowledged = true;
  }

  /** A mapper has written a register. */
  wrote(mapper: object, uid: string, property: string, value: string): void {
    const key = `${uid}/${property}`;
    this.#options.log(`${key}=${value} was written`);
    const written = this.#written.get(mapper) ?? new Set<string>();
    this.#written.set(mapper, written);
    if (this.#options.wentBack()) return;
    if (written.has(`${key}=${value}`)) this.#options.fail(`${key} was written twice: ${value}`);
    written.add(`${key}=${value}`);
    const basis = basisOf(this.#historyOf(uid, property), value);
    if (basis < (this.#reached.get(key) ?? 0)) this.#options.fail(`${key} went back to ${value}`);
    this.#reached.set(key, basis);
  }

  /** The hub has decided settings of an edge. */
  decided(uid: string, what: string): void {
    this.#options.log(`${uid}: the hub has decided ${what}`);
  }

  /** What is wrong with what a Device wants once all is quiet; undefined: nothing. */
  problem(uid: string, desired: Readonly<Record<string, { readonly value: string }>>): string | undefined {
    if (this.#options.wentBack()) return undefined;
    for (const property of WRITABLE) {
      const history = this.#histories.get(`${uid}/${property}`);
      if (history === undefined) continue;
      const value = desired[property]?.value;
      const basis = basisOf(history, value);
      if (basis !== history.lastPerson)
        return `${uid}/${property} is ${value ?? 'not set'}, which does not know what a person has set`;
      const last = lastAcknowledged(history);
      if (last?.basis !== history.lastPerson) continue;
      const present = history.local.get(value ?? '');
      if (present === undefined || present.order < last.order)
        return `${uid}/${property} is ${value ?? 'not set'}, and ${last.value} of the edge is lost`;
    }
    return undefined;
  }

  #historyOf(uid: string, property: string): History {
    const key = `${uid}/${property}`;
    let history = this.#histories.get(key);
    if (history === undefined)
      this.#histories.set(key, (history = { people: new Map(), local: new Map(), lastPerson: 0 }));
    return history;
  }
}

/** Number of the setting of a person that a value is, or knew of; 0: of none. */
function basisOf({ people, local }: History, value: string | undefined): number {
  if (value === undefined) return 0;
  return people.get(value) ?? local.get(value)?.basis ?? 0;
}

function lastAcknowledged({ local }: History): LocalSetting | undefined {
  let last: LocalSetting | undefined;
  for (const setting of local.values()) if (setting.acknowledged) last = setting;
  return last;
}
