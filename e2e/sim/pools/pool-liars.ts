import { decodeHubMessage, encodeHubMessage, type OutgoingChange, type SessionFrame } from '@hawser/proto';
import type { VirtualLan } from '@hawser/edgecore/testing/pools';
import { hashOf, pack } from '@hawser/sync';
import type { Dice } from '../dice.ts';

/** How a node lies about what it has from the hub. */
export type Lie = 'alters' | 'removes' | 'omits' | 'replays';

export const LIES: readonly Lie[] = ['alters', 'removes', 'omits', 'replays'];

/** Stamps that are kept for replaying, of each scope of each connection. */
const MAX_KEPT = 20;

/** Nodes that lie to those that follow them: what they give is altered on its way out. */
export class PoolLiars {
  readonly #lies = new Map<string, Lie>();
  readonly #stamps = new Map<string, Uint8Array[]>();
  readonly #dice: Dice;
  /** Frames that were altered. */
  told = 0;

  constructor(lan: VirtualLan, dice: Dice) {
    this.#dice = dice;
    lan.tamper = (frame, from, to) => this.#tamper(frame, from, to);
  }

  lie(node: string, lie: Lie): void {
    this.#lies.set(node, lie);
  }

  /** All tell the truth again. */
  end(): void {
    this.#lies.clear();
  }

  #tamper(frame: SessionFrame, from: string, to: string): SessionFrame | undefined {
    if (frame.body !== 'delta') return undefined;
    const lie = this.#lies.get(from);
    const message = decodeHubMessage(frame.delta.body);
    const { scope, sequence } = frame.delta;
    const again = (body: Uint8Array): SessionFrame => {
      this.told += 1;
      return { body: 'delta', delta: { scope, sequence, body } };
    };
    if (message.body === 'inSync') {
      const stamp = this.#stamp(`${from} ${to} ${scope}`, message.inSync.stamp, lie);
      return stamp && again(encodeHubMessage({ inSync: { ...message.inSync, stamp } }));
    }
    if (message.body !== 'batch') return undefined;
    const { batch } = message;
    const changes = batch.changes as readonly OutgoingChange[]; // of kinds that this release knows
    const old = this.#stamp(`${from} ${to} ${scope}`, batch.stamp, lie);
    if (old !== undefined) return again(encodeHubMessage({ batch: { ...batch, changes, stamp: old } }));
    const chosen = lie === undefined ? undefined : this.#dice.pick(changes);
    if (chosen === undefined) return undefined;
    if (lie === 'omits')
      return again(
        encodeHubMessage({ batch: { ...batch, changes: changes.filter((change) => change !== chosen) } }),
      );
    if (lie === 'removes') {
      const removed = changes.map((change) =>
        change === chosen ? { ...headOf(change), removed: true as const } : change,
      );
      return again(encodeHubMessage({ batch: { ...batch, changes: removed } }));
    }
    if (lie !== 'alters') return undefined;
    const bytes = Buffer.from(JSON.stringify({ spec: { value: 'a lie' } }));
    const hash = Buffer.from(hashOf(bytes), 'hex');
    const altered = changes.map((change) =>
      change === chosen ? { ...headOf(change), hash, full: pack(bytes) } : change,
    );
    return again(encodeHubMessage({ batch: { ...batch, changes: altered } }));
  }

  /** An older stamp in place of this one, where the node replays and there is one. */
  #stamp(of: string, stamp: Uint8Array, lie: Lie | undefined): Uint8Array | undefined {
    if (stamp.length === 0) return undefined;
    const kept = this.#stamps.get(of) ?? [];
    const old = lie === 'replays' ? this.#dice.pick(kept) : undefined;
    kept.push(new Uint8Array(stamp));
    if (kept.length > MAX_KEPT) kept.shift();
    this.#stamps.set(of, kept);
    return old;
  }
}

function headOf({ key = '', version = '' }: OutgoingChange): {
  readonly key: string;
  readonly version: string;
} {
  return { key, version };
}
