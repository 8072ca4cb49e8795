import { decodeFrame, encodeFrame, type OutgoingFrame, type SessionFrame } from '@hawser/proto';
import { deferred, type Clock } from '@hawser/seams';
import type { PeerFrames, PeerGate, PeerLink, PeerPipe } from '../../src/pool/peer-link.ts';
import type { ProcessClock } from './process-clock.ts';

/** Settings of a {@link VirtualLan}. */
export interface VirtualLanOptions {
  readonly clock: Clock;
  /** One way, milliseconds. Default 1. */
  readonly latencyMs?: number;
}

/** What a frame may be turned into on its way; undefined: as it is. */
export type FrameTamperer = (frame: SessionFrame, from: string, to: string) => SessionFrame | undefined;

/**
 * A LAN in memory: frames travel as bytes, in order. Ways between two hosts can be cut, as if a plug were pulled: what is
 * sent then arrives when it is healed, and nobody learns of it before. A host that dies resets its connections, unless its
 * power was cut.
 */
export class VirtualLan {
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #hosts = new Map<string, VirtualHost>();
  readonly #cuts = new Set<string>();
  readonly #held: { readonly from: string; readonly to: string; readonly deliver: () => void }[] = [];
  /** Alters frames on their way, as a node would that lies. */
  tamper: FrameTamperer | undefined;
  /** Connections that were asked for. */
  dials = 0;

  constructor({ clock, latencyMs = 1 }: VirtualLanOptions) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  /** A host's link, in a process of its own; one that was there is gone. */
  join(node: string, clock: ProcessClock): PeerLink {
    const host = new VirtualHost(this, node, clock);
    this.#hosts.set(node, host);
    return host;
  }

  /** Cuts the ways between these groups: within each of them they stay. */
  split(...groups: readonly (readonly string[])[]): void {
    for (const [index, group] of groups.entries())
      for (const other of groups.slice(index + 1))
        for (const one of group) for (const another of other) this.#cuts.add(pair(one, another));
  }

  /** Pulls the plug of one host. */
  isolate(node: string): void {
    for (const other of this.#hosts.keys()) if (other !== node) this.#cuts.add(pair(node, other));
  }

  /** All ways are there again, or those of one host. */
  heal(node?: string): void {
    for (const cut of [...this.#cuts])
      if (node === undefined || cut.split('|').includes(node)) this.#cuts.delete(cut);
    for (const held of this.#held.splice(0)) this.carry(held.from, held.to, held.deliver);
  }

  isCut(one: string, other: string): boolean {
    return this.#cuts.has(pair(one, other));
  }

  host(node: string): VirtualHost | undefined {
    return this.#hosts.get(node);
  }

  /** Delivers after a moment, once there is a way. */
  carry(from: string, to: string, deliver: () => void): void {
    this.#clock.setTimer(this.#latencyMs, () => {
      if (this.isCut(from, to)) this.#held.push({ from, to, deliver });
      else deliver();
    });
  }

  /** The process of a host is gone. @param silently as with its power: nobody learns of it */
  kill(node: string, silently = false): void {
    const host = this.#hosts.get(node);
    this.#hosts.delete(node);
    host?.die(silently);
  }
}

/** One end of a connection. */
class VirtualPipe implements PeerPipe {
  readonly peer: string;
  readonly fingerprint: string;
  readonly closed: Promise<string>;
  readonly #lan: VirtualLan;
  readonly #node: string;
  readonly #clock: ProcessClock;
  readonly #closed = deferred<string>();
  #other: VirtualPipe | undefined;
  #onFrame: PeerFrames | undefined;
  #queue: Promise<void> = Promise.resolve();
  #isOpen = true;

  constructor(lan: VirtualLan, node: string, peer: string, clock: ProcessClock) {
    this.#lan = lan;
    this.#node = node;
    this.#clock = clock;
    this.peer = peer;
    this.fingerprint = fingerprintOf(peer);
    this.closed = this.#closed.promise;
  }

  join(other: VirtualPipe): void {
    this.#other = other;
  }

  serve(onFrame: PeerFrames): void {
    this.#onFrame = onFrame;
  }

  send(frame: OutgoingFrame): Promise<void> {
    if (!this.#isOpen) return Promise.reject(new Error('the connection is over'));
    const bytes = encodeFrame(frame);
    const other = this.#other;
    this.#lan.carry(this.#node, this.peer, () => other?.take(bytes));
    return Promise.resolve();
  }

  close(why: string): void {
    if (!this.#isOpen) return;
    this.#end(why);
    const other = this.#other;
    this.#lan.carry(this.#node, this.peer, () => other?.ended(why));
  }

  /** The other end is gone, or has ended it. */
  ended(why: string): void {
    this.#clock.run(() => this.#end(why));
  }

  take(bytes: Uint8Array): void {
    this.#clock.run(() => {
      const decoded = decodeFrame(bytes) as SessionFrame; // what members send, no more
      const frame = this.#lan.tamper?.(decoded, this.peer, this.#node) ?? decoded;
      this.#queue = this.#queue.then(() => this.#handle(frame));
    });
  }

  async #handle(frame: SessionFrame): Promise<void> {
    if (!this.#isOpen) return;
    try {
      await this.#onFrame?.(frame);
    } catch (error) {
      this.close(error instanceof Error ? error.message : String(error));
    }
  }

  #end(why: string): void {
    this.#isOpen = false;
    this.#closed.resolve(why);
  }
}

/** A host of the LAN. */
export class VirtualHost implements PeerLink {
  readonly node: string;
  readonly #lan: VirtualLan;
  readonly #clock: ProcessClock;
  readonly #pipes = new Set<VirtualPipe>();
  #gate: PeerGate | undefined;

  constructor(lan: VirtualLan, node: string, clock: ProcessClock) {
    this.#lan = lan;
    this.node = node;
    this.#clock = clock;
  }

  get endpoint(): string {
    return this.#gate === undefined ? '' : endpointOf(this.node);
  }

  open(gate: PeerGate): Promise<void> {
    this.#gate = gate;
    return Promise.resolve();
  }

  async dial(
    peer: string,
    endpoint: string,
    onPipe: (pipe: PeerPipe) => PeerFrames,
    signal: AbortSignal,
  ): Promise<PeerPipe> {
    const lan = this.#lan;
    lan.dials += 1;
    const reached = deferred<PeerPipe>();
    const onAbort = (): void => reached.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const refuse = (why: string): void => {
      lan.carry(peer, this.node, () => this.#clock.run(() => reached.reject(new Error(why))));
    };
    lan.carry(this.node, peer, () => {
      const host = lan.host(peer);
      if (host?.endpoint !== endpoint) refuse('connection refused');
      else host.#take(this, reached.resolve, refuse, onPipe, signal);
    });
    try {
      return await reached.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  close(): Promise<void> {
    this.#gate = undefined;
    for (const pipe of this.#pipes) pipe.close('the host goes away');
    this.#pipes.clear();
    return Promise.resolve();
  }

  die(silently: boolean): void {
    this.#gate = undefined;
    if (!silently) for (const pipe of this.#pipes) pipe.close('connection reset');
    this.#pipes.clear();
  }

  #take(
    from: VirtualHost,
    resolve: (pipe: PeerPipe) => void,
    refuse: (why: string) => void,
    onPipe: (pipe: PeerPipe) => PeerFrames,
    signal: AbortSignal,
  ): void {
    this.#clock.run(() => {
      const why = this.#gate?.refusal(from.node, fingerprintOf(from.node));
      if (this.#gate === undefined || why !== undefined) {
        refuse(why ?? 'connection refused');
        return;
      }
      const mine = new VirtualPipe(this.#lan, this.node, from.node, this.#clock);
      const theirs = new VirtualPipe(this.#lan, from.node, this.node, from.#clock);
      mine.join(theirs);
      theirs.join(mine);
      this.#keep(mine);
      from.#keep(theirs);
      mine.serve(this.#gate.accept(mine));
      this.#lan.carry(this.node, from.node, () =>
        from.#clock.run(() => {
          if (signal.aborted) {
            theirs.close('too late');
            return;
          }
          theirs.serve(onPipe(theirs));
          resolve(theirs);
        }),
      );
    });
  }

  #keep(pipe: VirtualPipe): void {
    this.#pipes.add(pipe);
    void pipe.closed.then(() => this.#pipes.delete(pipe));
  }
}

/** Address of a node of the virtual LAN. */
export function endpointOf(node: string): string {
  return `${node}.lan:10263`;
}

/** Stands for the fingerprint of a node's certificate. */
export function fingerprintOf(node: string): string {
  return Buffer.from(node).toString('hex').padEnd(64, '0').slice(0, 64);
}

function pair(one: string, other: string): string {
  return one < other ? `${one}|${other}` : `${other}|${one}`;
}
