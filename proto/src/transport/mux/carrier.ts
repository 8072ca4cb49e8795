import type { TunnelError } from '../../errors.ts';
import type { CloseReason } from '../close-reason.ts';

/** What a {@link Carrier} tells its connection. */
export interface CarrierEvents {
  /** Bytes came from the peer, a whole message or not: a sign of life. */
  onBytes(): void;
  onMessage(message: Buffer): void;
  /** The peer asks for a sign of life; {@link Carrier.pong} answers with the same bytes. */
  onPing(data: Buffer): void;
  onPong(): void;
  /** The peer broke the protocol in a way that it can still be told of. */
  onViolation(error: TunnelError): void;
  /** The carrier cannot go on, by the peer's fault or the network's. */
  onError(reason: CloseReason): void;
  /** It is down. Nothing comes after this. */
  onClosed(message: string): void;
}

/**
 * What a connection of the multiplexer runs over: whole messages and pings both ways, with a peer that is verified.
 * One for each transport.
 */
export interface Carrier {
  /** Name of the transport: 'ws', 'webtransport'. */
  readonly transport: string;
  /** Whether anything can still be sent. */
  readonly isOpen: boolean;
  /** Whether it is down. */
  readonly isClosed: boolean;
  /** Begins to read. */
  start(events: CarrierEvents): void;
  /** Sends a message; `written` is called when it left for the network, or never if the connection died. */
  send(message: Buffer, written: () => void): void;
  ping(): void;
  /** `sent` is called when the answer left for the network, or never if the connection died. */
  pong(data: Buffer, sent: () => void): void;
  /** Holds back what is sent from here to {@link uncork}, so that it leaves together. */
  cork(): void;
  uncork(): void;
  /** Says goodbye in its own way once what was sent has left; the peer ends it. */
  close(): void;
  /** Ends it at once. */
  terminate(): void;
}
