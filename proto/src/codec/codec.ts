import './numbers.ts';
import { hawser } from '#codec';
import type { Decoded, Encodable, EncodableBody, Envelope } from './message-types.ts';

const schema = hawser.tunnel.v1;

export type Hello = Decoded<hawser.tunnel.v1.Hello.$Properties>;
export type Welcome = Decoded<hawser.tunnel.v1.Welcome.$Properties>;
export type Reject = Decoded<hawser.tunnel.v1.Reject.$Properties>;
export type Subscribe = Decoded<hawser.tunnel.v1.Subscribe.$Properties>;
export type Unsubscribe = Decoded<hawser.tunnel.v1.Unsubscribe.$Properties>;
export type Delta = Decoded<hawser.tunnel.v1.Delta.$Properties>;
export type DeltaAck = Decoded<hawser.tunnel.v1.DeltaAck.$Properties>;
export type Upstream = Decoded<hawser.tunnel.v1.Upstream.$Properties>;
export type UpstreamAck = Decoded<hawser.tunnel.v1.UpstreamAck.$Properties>;
export type ScopeReport = Decoded<hawser.tunnel.v1.ScopeReport.$Properties>;
export type ReportRequest = Decoded<hawser.tunnel.v1.ReportRequest.$Properties>;
export type SessionErrorFrame = Decoded<hawser.tunnel.v1.SessionError.$Properties>;
export type CloseNotice = Decoded<hawser.tunnel.v1.CloseNotice.$Properties>;

interface FrameBodies {
  hello: Hello;
  welcome: Welcome;
  reject: Reject;
  bulkRequest: Record<string, never>;
  bulkRelease: Record<string, never>;
  subscribe: Subscribe;
  unsubscribe: Unsubscribe;
  delta: Delta;
  deltaAck: DeltaAck;
  upstream: Upstream;
  upstreamAck: UpstreamAck;
  error: SessionErrorFrame;
  scopeReport: ScopeReport;
  reportRequest: ReportRequest;
}

interface ConnectionFrameBodies {
  hello: { readonly certificates: readonly Uint8Array[]; readonly proof: Uint8Array };
  accepted: Record<string, never>;
  refused: { readonly code: string; readonly message: string };
  ping: number;
  pong: number;
  close: CloseNotice;
}

/** A frame of the session stream, told apart by `body`; without one its body is unknown to this release. */
export type Frame = Envelope<FrameBodies>;
/** What {@link encodeFrame} takes: `{hello: {…}}`. */
export type OutgoingFrame = EncodableBody<FrameBodies>;
/** A frame of the connection stream, told apart by `body`. */
export type ConnectionFrame = Envelope<ConnectionFrameBodies>;
/** What {@link encodeConnectionFrame} takes. */
export type OutgoingConnectionFrame = EncodableBody<ConnectionFrameBodies>;

/** Purpose of a connection, see session.proto. */
export const PURPOSE = {
  control: schema.Purpose.PURPOSE_CONTROL,
  bulk: schema.Purpose.PURPOSE_BULK,
} as const;

/** Encodes a frame for the session stream (without its length). */
export function encodeFrame(frame: OutgoingFrame): Uint8Array {
  return schema.Frame.encode(frame).finish();
}

/**
 * Decodes a frame of the session stream; `bytes` fields are views of `data`. Throws on anything malformed, and on
 * 64-bit numbers of 2^53 and more, which would not come out exact.
 */
export function decodeFrame(data: Uint8Array): Frame {
  const frame = schema.Frame.decode(data) as unknown as Frame;
  for (const number of wideNumbersOf(frame)) {
    if (!Number.isSafeInteger(number)) throw new RangeError(`${frame.body ?? ''}: a number beyond 2^53`);
  }
  return frame;
}

/** The 64-bit fields of a frame; a test holds this list against the schema. */
function wideNumbersOf(frame: Frame): readonly number[] {
  switch (frame.body) {
    case 'hello':
      return [frame.hello.lastEpoch];
    case 'subscribe':
      return [frame.subscribe.epoch];
    case 'welcome':
      return [frame.welcome.epoch, frame.welcome.timeMs];
    case 'delta':
      return [frame.delta.sequence];
    case 'deltaAck':
      return [frame.deltaAck.sequence];
    case 'upstream':
      return [frame.upstream.sequence];
    case 'upstreamAck':
      return [frame.upstreamAck.sequence];
    default:
      return [];
  }
}

/** Encodes a frame for the connection stream (without its length). */
export function encodeConnectionFrame(frame: OutgoingConnectionFrame): Uint8Array {
  return schema.ConnectionFrame.encode(frame as hawser.tunnel.v1.ConnectionFrame.$Properties).finish();
}

/** Decodes a frame of the connection stream. Throws on anything malformed. */
export function decodeConnectionFrame(data: Uint8Array): ConnectionFrame {
  return schema.ConnectionFrame.decode(data) as unknown as ConnectionFrame;
}

/** Encodes a close notice on its own. */
export function encodeCloseNotice(notice: Encodable<CloseNotice>): Uint8Array {
  return schema.CloseNotice.encode(notice).finish();
}

/** Decodes a close notice. Throws on anything malformed. */
export function decodeCloseNotice(data: Uint8Array): CloseNotice {
  return schema.CloseNotice.decode(data);
}

/** Encodes the head of a stream. */
export function encodeStreamOpen(kind: string): Uint8Array {
  return schema.StreamOpen.encode({ kind }).finish();
}

/** Decodes the head of a stream to its kind. Throws on anything malformed. */
export function decodeStreamOpen(data: Uint8Array): string {
  return schema.StreamOpen.decode(data).kind;
}
