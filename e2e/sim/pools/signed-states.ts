import type { ModelResources, ModelSigned } from '@hawser/edgecore/testing/pools';

/** A state that the cloud had and signed: what each object was. */
export interface SignedContents {
  readonly incarnation: string;
  readonly version: string;
  /** Hashes of contents, by key. */
  readonly hashes: ReadonlyMap<string, string>;
}

/** All that the modelled cloud has ever signed: what a member shows must be one of it. */
export class SignedStates {
  readonly #states = new Map<string, SignedContents>();
  /** When each object was removed in the cloud: life, version, time. */
  readonly #removals = new Map<string, { incarnation: string; version: number; atMs: number }[]>();
  readonly #resources: ModelResources;
  readonly #nowMs: () => number;

  constructor(resources: ModelResources, nowMs: () => number) {
    this.#resources = resources;
    this.#nowMs = nowMs;
    resources.onSigned = (signed) => this.#take(signed);
  }

  /** What a stamp says; undefined: the cloud has never signed it. */
  find(scope: string, stamp: Uint8Array): SignedContents | undefined {
    return this.#states.get(nameOf(scope, stamp));
  }

  /** Removes an object in the cloud. */
  remove(resource: string, name: string): void {
    this.#resources.remove(resource, name);
    const { incarnation, version } = this.#resources;
    const key = `${resource}/default/${name}`;
    const removals = this.#removals.get(key) ?? [];
    removals.push({ incarnation, version, atMs: this.#nowMs() });
    this.#removals.set(key, removals);
  }

  /** How long ago an object was removed that was there at this version of this life; undefined: it was not. */
  removedForMs(key: string, incarnation: string, version: string): number | undefined {
    const removal = this.#removals
      .get(key)
      ?.find((one) => one.incarnation === incarnation && one.version > Number(version));
    return removal && this.#nowMs() - removal.atMs;
  }

  #take({ scope, incarnation, version, stamp, view }: ModelSigned): void {
    this.#states.set(nameOf(scope, stamp), { incarnation, version, hashes: new Map(view.hashes()) });
  }
}

function nameOf(scope: string, stamp: Uint8Array): string {
  return `${scope} ${Buffer.from(stamp).toString('latin1')}`;
}
