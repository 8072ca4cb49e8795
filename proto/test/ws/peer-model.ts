import type { CloseCode, TunnelLimits } from '../../src/index.ts';
import { encodeStreamOpen } from '../../src/codec/codec.ts';
import { encodeCredit, encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';

/** What a peer does next. */
export type PeerAction =
  | { readonly do: 'open'; readonly id: number; readonly kind: string }
  | { readonly do: 'data'; readonly id: number; readonly bytes: number }
  | { readonly do: 'end' | 'reset'; readonly id: number }
  | { readonly do: 'window'; readonly id: number; readonly credit: number }
  | { readonly do: 'streams'; readonly credit: number }
  | { readonly do: 'unknown'; readonly type: number };

interface ModelStream {
  readonly bytesLeft: number;
  readonly ended: boolean;
  readonly credit: number;
}

/** The frame of an action. */
export function frameOf(action: PeerAction): Buffer {
  switch (action.do) {
    case 'open':
      return encodeMuxFrame(FRAME.open, action.id, encodeStreamOpen(action.kind));
    case 'data':
      return encodeMuxFrame(FRAME.data, action.id, Buffer.alloc(action.bytes, 1));
    case 'end':
      return encodeMuxFrame(FRAME.end, action.id);
    case 'reset':
      return encodeMuxFrame(FRAME.reset, action.id);
    case 'window':
      return encodeMuxFrame(FRAME.window, action.id, encodeCredit(action.credit));
    case 'streams':
      return encodeMuxFrame(FRAME.streams, 0, encodeCredit(action.credit));
    case 'unknown':
      return encodeMuxFrame(action.type, 0, Buffer.from('later'));
  }
}

/**
 * What the protocol says of a peer whose streams nobody reads, written down a second time and as plainly as
 * possible: which action breaks which rule. The application resets streams of kind `gone` as soon as they come.
 */
export class PeerModel {
  readonly #limits: Pick<TunnelLimits, 'maxStreams' | 'streamWindowBytes'>;
  readonly #open = new Map<number, ModelStream>();
  #lastId = 0;
  /** Streams that it may still open, and those that ended since it last got credit. */
  #mayOpen: number;
  #ended = 0;
  /** Streams that we may open. */
  #streamCredit: number;

  constructor(limits: Pick<TunnelLimits, 'maxStreams' | 'streamWindowBytes'>) {
    this.#limits = limits;
    this.#mayOpen = limits.maxStreams;
    this.#streamCredit = limits.maxStreams;
  }

  get openStreams(): number {
    return this.#open.size;
  }

  /** Streams that the peer may still open. */
  get mayOpen(): number {
    return this.#mayOpen;
  }

  /** Streams on which the peer has not said END, and how many bytes each of them still takes. */
  writable(): readonly { readonly id: number; readonly bytesLeft: number }[] {
    return [...this.#open]
      .filter(([, { ended }]) => !ended)
      .map(([id, { bytesLeft }]) => ({ id, bytesLeft }));
  }

  /** Highest id that was ever opened. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Takes an action; answers how the connection must end because of it, or undefined if it goes on. */
  take(action: PeerAction): CloseCode | undefined {
    switch (action.do) {
      case 'open':
        return this.#takeOpen(action.id, action.kind);
      case 'streams':
        this.#streamCredit += action.credit;
        return this.#streamCredit > 2 ** 20 ? 'limit-exceeded' : undefined;
      case 'unknown':
        return action.type >= 0x80 ? undefined : 'protocol-error';
      default:
        return this.#takeStreamAction(action);
    }
  }

  #takeOpen(id: number, kind: string): CloseCode | undefined {
    if (id % 2 === 0 || id <= this.#lastId) return 'protocol-error';
    if (this.#mayOpen === 0) return 'limit-exceeded';
    if (!/^[a-z0-9][a-z0-9.-]*$/.test(kind) || kind.length > 64) return 'protocol-error';
    this.#lastId = id;
    this.#mayOpen -= 1;
    const { streamWindowBytes } = this.#limits;
    if (kind !== 'gone')
      this.#open.set(id, { bytesLeft: streamWindowBytes, ended: false, credit: streamWindowBytes });
    else this.#giveBack();
    return undefined;
  }

  /** Credit comes back in batches of a quarter of the limit. */
  #giveBack(): void {
    this.#ended += 1;
    if (this.#ended < this.#limits.maxStreams / 4) return;
    this.#mayOpen += this.#ended;
    this.#ended = 0;
  }

  #takeStreamAction(
    action: Extract<PeerAction, { do: 'data' | 'end' | 'reset' | 'window' }>,
  ): CloseCode | undefined {
    const { id } = action;
    if (id === 0 || id % 2 === 0 || id > this.#lastId) return 'protocol-error';
    const stream = this.#open.get(id);
    if (stream === undefined) return undefined; // it has ended: in flight
    switch (action.do) {
      case 'data': {
        const bytesLeft = stream.bytesLeft - action.bytes;
        if (stream.ended || bytesLeft < 0) return 'limit-exceeded';
        this.#open.set(id, { ...stream, bytesLeft });
        return undefined;
      }
      case 'end':
        if (stream.ended) return 'protocol-error';
        this.#open.set(id, { ...stream, ended: true });
        return undefined;
      case 'window': {
        const credit = stream.credit + action.credit;
        this.#open.set(id, { ...stream, credit });
        return credit > 2 ** 31 ? 'limit-exceeded' : undefined;
      }
      case 'reset':
        this.#open.delete(id);
        this.#giveBack();
        return undefined;
    }
  }
}
