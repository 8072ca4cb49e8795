import type { OutgoingFrame, SessionFrame } from '@hawser/proto';

/** One session between two members, after both have shown who they are. Frames arrive in order, or not at all. */
export interface PeerPipe {
  /** The node at the other end, by its certificate. */
  readonly peer: string;
  /** SHA-256 of that certificate, lower-case hex. */
  readonly fingerprint: string;
  /** Resolves when the next frame makes sense; rejects once the session has ended. */
  send(frame: OutgoingFrame): Promise<void>;
  /** Ends the session; the peer learns why. Idempotent. */
  close(why: string): void;
  /** Resolves with why it ended, in words. Never rejects. */
  readonly closed: Promise<string>;
}

/** Takes the frames of a session in order; the next one waits for the promise. A rejection ends the session. */
export type PeerFrames = (frame: SessionFrame) => Promise<void> | void;

/** What decides over who is let in. */
export interface PeerGate {
  /** Why this node is not let in, in words; undefined: it is. */
  refusal(node: string, fingerprint: string): string | undefined;
  /** A peer is there: the answer takes its frames. */
  accept(pipe: PeerPipe): PeerFrames;
}

/** The LAN: where peers reach this node, and how it reaches them. Sockets with TLS, or a virtual network. */
export interface PeerLink {
  /** `address:port` at which peers reach this node; empty: its port is not open. */
  readonly endpoint: string;
  /** Opens the port; without one, nobody is let in. Rejects where it cannot be opened; may be tried again. */
  open(gate: PeerGate): Promise<void>;
  /**
   * Reaches a peer.
   * @param endpoint `address:port`
   * @param onPipe called with the session before it serves; the answer takes its frames
   * @throws TunnelError; `signal.reason`
   */
  dial(
    peer: string,
    endpoint: string,
    onPipe: (pipe: PeerPipe) => PeerFrames,
    signal: AbortSignal,
  ): Promise<PeerPipe>;
  /** Ends all sessions and closes the port. Idempotent; it may be opened again. */
  close(): Promise<void>;
}
