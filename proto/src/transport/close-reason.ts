import { hawser } from '#codec';
import { boundedText } from '../bounded-text.ts';
import { decodeCloseNotice, encodeCloseNotice, type CloseNotice } from '../codec/codec.ts';
import { messageOf, TunnelError, type TunnelErrorCode } from '../errors.ts';

/** Why a connection ended, as it travels; see CloseCode in connection.proto. `connection-lost` never travels. */
export type CloseCode =
  | 'normal'
  | 'going-away'
  | 'replaced'
  | 'overloaded'
  | 'protocol-error'
  | 'limit-exceeded'
  | 'unauthorized'
  | 'revoked'
  | 'heartbeat-timeout'
  | 'incompatible'
  | 'handshake-timeout'
  | 'internal'
  | 'connection-lost';

/** Why a connection ends or ended. */
export interface CloseReason {
  readonly code: CloseCode;
  /** For people; at most 1024 bytes travel. */
  readonly message: string;
  /** How long the peer should stay away, milliseconds; absent: as its own back-off says. */
  readonly retryAfterMs?: number;
  /** Who ended it. Default: this side. */
  readonly by?: 'local' | 'remote';
}

const WIRE = hawser.tunnel.v1.CloseCode;
const TO_WIRE: Readonly<Record<CloseCode, hawser.tunnel.v1.CloseCode>> = {
  normal: WIRE.CLOSE_CODE_NORMAL,
  'going-away': WIRE.CLOSE_CODE_GOING_AWAY,
  replaced: WIRE.CLOSE_CODE_REPLACED,
  overloaded: WIRE.CLOSE_CODE_OVERLOADED,
  'protocol-error': WIRE.CLOSE_CODE_PROTOCOL_ERROR,
  'limit-exceeded': WIRE.CLOSE_CODE_LIMIT_EXCEEDED,
  unauthorized: WIRE.CLOSE_CODE_UNAUTHORIZED,
  revoked: WIRE.CLOSE_CODE_REVOKED,
  'heartbeat-timeout': WIRE.CLOSE_CODE_HEARTBEAT_TIMEOUT,
  incompatible: WIRE.CLOSE_CODE_INCOMPATIBLE,
  'handshake-timeout': WIRE.CLOSE_CODE_HANDSHAKE_TIMEOUT,
  internal: WIRE.CLOSE_CODE_INTERNAL,
  'connection-lost': WIRE.CLOSE_CODE_UNSPECIFIED,
};
const FROM_WIRE = new Map(Object.entries(TO_WIRE).map(([code, wire]) => [wire, code as CloseCode]));

const MAX_MESSAGE_CHARACTERS = 256; // at most 1024 bytes of UTF-8

/** The code as a number of the schema. */
export function closeCodeToWire(code: CloseCode): hawser.tunnel.v1.CloseCode {
  return TO_WIRE[code];
}

/** The code that a number of the schema stands for; one that a newer release added reads as `normal`. */
export function closeCodeFromWire(wire: hawser.tunnel.v1.CloseCode): CloseCode {
  return wire === WIRE.CLOSE_CODE_UNSPECIFIED ? 'normal' : (FROM_WIRE.get(wire) ?? 'normal');
}

/** The reason as a message of the schema. */
export function toCloseNotice(reason: CloseReason): CloseNotice {
  return {
    code: closeCodeToWire(reason.code),
    message: boundedText(reason.message, MAX_MESSAGE_CHARACTERS),
    retryAfterMs: reason.retryAfterMs ?? 0,
  };
}

/** The reason that a message of the peer's states. */
export function fromCloseNotice(notice: CloseNotice): CloseReason {
  const { retryAfterMs } = notice;
  return {
    code: closeCodeFromWire(notice.code),
    message: boundedText(notice.message, MAX_MESSAGE_CHARACTERS),
    ...(retryAfterMs > 0 ? { retryAfterMs } : {}),
    by: 'remote',
  };
}

/** {@link toCloseNotice}, encoded. */
export function encodeCloseReason(reason: CloseReason): Uint8Array {
  return encodeCloseNotice(toCloseNotice(reason));
}

/** {@link fromCloseNotice} of encoded bytes. Throws on anything malformed. */
export function decodeCloseReason(data: Uint8Array): CloseReason {
  return fromCloseNotice(decodeCloseNotice(data));
}

const ERROR_OF: Partial<Record<CloseCode, TunnelErrorCode>> = {
  'connection-lost': 'ERR_TUNNEL_CONNECTION_LOST',
  'heartbeat-timeout': 'ERR_TUNNEL_HEARTBEAT_TIMEOUT',
  'handshake-timeout': 'ERR_TUNNEL_HANDSHAKE_TIMEOUT',
  'protocol-error': 'ERR_TUNNEL_BAD_FRAME',
  'limit-exceeded': 'ERR_TUNNEL_LIMIT',
  incompatible: 'ERR_TUNNEL_INCOMPATIBLE',
  overloaded: 'ERR_TUNNEL_OVERLOADED',
  replaced: 'ERR_TUNNEL_REPLACED',
  revoked: 'ERR_TUNNEL_CERT_REVOKED',
  unauthorized: 'ERR_TUNNEL_REJECTED',
};

/** The error with which operations fail on a connection that ended for `reason`. */
export function closeError(reason: CloseReason): TunnelError {
  const who = reason.by === 'remote' ? 'the peer' : 'this side';
  const code = ERROR_OF[reason.code] ?? 'ERR_TUNNEL_CLOSED';
  const text =
    code === 'ERR_TUNNEL_CONNECTION_LOST'
      ? reason.message
      : `${who} closed (${reason.code}): ${reason.message}`;
  return new TunnelError(
    code,
    text,
    reason.retryAfterMs === undefined ? {} : { retryAfterMs: reason.retryAfterMs },
  );
}

/** How a connection ends after an error on it: the peer is told what it did, or that it was not the peer. */
export function reasonFor(error: unknown): CloseReason {
  const code = error instanceof TunnelError ? error.code : undefined;
  const message = messageOf(error);
  switch (code) {
    case 'ERR_TUNNEL_BAD_FRAME':
    case 'ERR_TUNNEL_UNKNOWN_FRAME':
      return { code: 'protocol-error', message: `${code}: ${message}` };
    case 'ERR_TUNNEL_LIMIT':
    case 'ERR_TUNNEL_FLOW_CONTROL':
      return { code: 'limit-exceeded', message: `${code}: ${message}` };
    default:
      return { code: 'internal', message };
  }
}
