import {
  PURPOSE,
  type ConnectionFrame,
  type Frame,
  type OutgoingConnectionFrame,
  type OutgoingFrame,
} from '../../src/codec/codec.ts';
import { closeCodeToWire, type CloseReason } from '../../src/transport/close-reason.ts';
import { encodeCredit, encodeMuxFrame, FRAME } from '../../src/transport/mux/mux-frame.ts';
import { encodeStreamOpen } from '../../src/codec/codec.ts';
import { encodeCloseReason } from '../../src/transport/close-reason.ts';

const UINT32_MAX = 2 ** 32 - 1;

type Body = NonNullable<Frame['body']>;
type ConnectionBody = NonNullable<ConnectionFrame['body']>;

/** Every session frame with every field set to something that is not its default. A new body does not compile until it is here. */
export const FULL_FRAMES: { readonly [B in Body]: Extract<OutgoingFrame, Record<B, unknown>> } = {
  hello: {
    hello: {
      minVersion: 1,
      maxVersion: 300,
      purpose: PURPOSE.bulk,
      node: 'edge-1',
      software: 'edgecore/0.1.0',
      features: ['delta', 'logs'],
      requiredFeatures: ['delta'],
      heartbeatMs: 10_000,
      lastEpoch: 2 ** 53 - 1,
      clusterUid: '0b1a4c5e-7d1f-4f0e-9f59-0a5a5d1f0001',
      sessionId: '6f1d2c3b-0000-4000-8000-00000000000f',
      resumeState: Uint8Array.of(0, 1, 0x7f, 0x80, 0xff),
    },
  },
  welcome: {
    welcome: {
      version: 1,
      sessionId: '6f1d2c3b-0000-4000-8000-00000000000f',
      epoch: 2 ** 40 + 7,
      features: ['delta'],
      heartbeatMs: 300_000,
      clusterUid: '0b1a4c5e-7d1f-4f0e-9f59-0a5a5d1f0001',
      incarnation: 'first',
      timeMs: 1_767_225_600_000,
      software: 'cloudcore-1 cloudcore/0.1.0',
      maxFrameBytes: 4 * 1024 * 1024,
      resumeState: Uint8Array.of(0xde, 0xad),
    },
  },
  reject: {
    reject: {
      code: closeCodeToWire('unauthorized'),
      error: 'ERR_TUNNEL_CERT_NAME',
      message: 'the certificate is for Žižkov 🚢, the hello is not',
      retryAfterMs: UINT32_MAX,
    },
  },
  bulkRequest: { bulkRequest: {} },
  bulkRelease: { bulkRelease: {} },
  subscribe: { subscribe: { scope: 1, kind: 'pool', name: 'hangzhou', state: Uint8Array.of(1, 2, 3) } },
  unsubscribe: { unsubscribe: { scope: UINT32_MAX } },
  delta: { delta: { scope: 2, sequence: 2 ** 32, body: Uint8Array.of(0x0a, 0x00) } },
  deltaAck: { deltaAck: { scope: 2, sequence: 2 ** 53 - 1 } },
  upstream: { upstream: { sequence: 128, kind: 'pod-status', body: Buffer.from('{"phase":"Running"}') } },
  upstreamAck: { upstreamAck: { sequence: 128, status: 409, message: 'conflict', retryAfterMs: 1 } },
  error: { error: { code: 'ERR_TUNNEL_BAD_FRAME', message: 'no such scope', scope: 3 } },
  scopeReport: { scopeReport: { scope: 2, body: Uint8Array.of(0x1a, 0x00) } },
  reportRequest: { reportRequest: { kinds: ['node', 'pod'] } },
};

/** Frames with the fields that they were given later: name of the sample and what was added. */
export const GROWN_FRAMES: Readonly<Record<string, OutgoingFrame>> = {
  'welcome, with follows': {
    welcome: {
      version: 1,
      sessionId: '6f1d2c3b-0000-4000-8000-00000000000f',
      epoch: 2 ** 40 + 7,
      features: ['delta'],
      heartbeatMs: 300_000,
      clusterUid: '0b1a4c5e-7d1f-4f0e-9f59-0a5a5d1f0001',
      incarnation: 'second',
      timeMs: 1_767_225_600_000,
      software: 'cloudcore-1 cloudcore/0.1.0',
      maxFrameBytes: 4 * 1024 * 1024,
      resumeState: Uint8Array.of(0xde, 0xad),
      follows: ['first'],
    },
  },
  'upstreamAck, with body': {
    upstreamAck: {
      sequence: 128,
      status: 429,
      message: 'later',
      retryAfterMs: 1000,
      body: Uint8Array.of(0, 0x7b, 0x7d),
    },
  },
  'subscribe, with epoch and direct': {
    subscribe: {
      scope: 3,
      kind: 'pool',
      name: 'hangzhou/endpointslices.discovery.k8s.io',
      state: Uint8Array.of(1, 2, 3),
      epoch: 2 ** 53 - 1,
      direct: true,
    },
  },
};

/** Every session frame with nothing in it. */
export const MINIMAL_FRAMES: { readonly [B in Body]: Extract<OutgoingFrame, Record<B, unknown>> } = {
  hello: { hello: {} },
  welcome: { welcome: {} },
  reject: { reject: {} },
  bulkRequest: { bulkRequest: {} },
  bulkRelease: { bulkRelease: {} },
  subscribe: { subscribe: {} },
  unsubscribe: { unsubscribe: {} },
  delta: { delta: {} },
  deltaAck: { deltaAck: {} },
  upstream: { upstream: {} },
  upstreamAck: { upstreamAck: {} },
  error: { error: {} },
  scopeReport: { scopeReport: {} },
  reportRequest: { reportRequest: {} },
};

type ConnectionSamples = {
  readonly [B in ConnectionBody]: Extract<OutgoingConnectionFrame, Record<B, unknown>>;
};

/** Every connection frame with every field set. */
export const FULL_CONNECTION_FRAMES: ConnectionSamples = {
  hello: { hello: { certificates: [Uint8Array.of(0x30, 0x03, 1, 2, 3), Uint8Array.of(0x30, 0x00)] } },
  accepted: { accepted: {} },
  refused: { refused: { code: 'ERR_TUNNEL_CERT_REVOKED', message: 'the certificate of edge-1 was revoked' } },
  ping: { ping: UINT32_MAX },
  pong: { pong: 1 },
  close: {
    close: { code: closeCodeToWire('going-away'), message: 'the hub is stopping', retryAfterMs: 4711 },
  },
};

/** Connection frames with the fields that they were given later. */
export const GROWN_CONNECTION_FRAMES: Readonly<Record<string, OutgoingConnectionFrame>> = {
  'hello, with proof': {
    hello: { certificates: [Uint8Array.of(0x30, 0x00)], proof: Uint8Array.of(1, 2, 3) },
  },
};

/** Every connection frame with nothing in it. */
export const MINIMAL_CONNECTION_FRAMES: ConnectionSamples = {
  hello: { hello: {} },
  accepted: { accepted: {} },
  refused: { refused: {} },
  ping: { ping: 0 },
  pong: { pong: 0 },
  close: { close: {} },
};

/** A close notice of every code that travels. */
export const CLOSE_REASONS: Readonly<Record<Exclude<CloseReason['code'], 'connection-lost'>, CloseReason>> = {
  normal: { code: 'normal', message: '' },
  'going-away': { code: 'going-away', message: 'the hub is stopping', retryAfterMs: 5000 },
  replaced: { code: 'replaced', message: 'a newer session of edge-1 (epoch 8) took over' },
  overloaded: { code: 'overloaded', message: 'too many sessions', retryAfterMs: 60_000 },
  'protocol-error': { code: 'protocol-error', message: 'ERR_TUNNEL_BAD_FRAME: truncated frame' },
  'limit-exceeded': { code: 'limit-exceeded', message: 'ERR_TUNNEL_LIMIT: more than 128 streams' },
  unauthorized: { code: 'unauthorized', message: 'not this node' },
  revoked: { code: 'revoked', message: 'the certificate was revoked' },
  'heartbeat-timeout': { code: 'heartbeat-timeout', message: 'nothing heard for 30000 ms' },
  incompatible: { code: 'incompatible', message: 'no version in common' },
  'handshake-timeout': { code: 'handshake-timeout', message: 'no hello in time' },
  internal: { code: 'internal', message: 'something of ours broke' },
};

/** Kinds of streams, at the head of each. */
export const STREAM_KINDS: Readonly<Record<string, string>> = {
  session: 'session',
  shortest: 'a',
  longest: 'k'.repeat(64),
  'all characters': 'abcdefghijklmnopqrstuvwxyz.0123456789-',
};

/** Every frame of the multiplexer, and every length of its numbers. */
export const MUX_MESSAGES: Readonly<Record<string, Buffer>> = {
  open: encodeMuxFrame(FRAME.open, 1, encodeStreamOpen('session')),
  data: encodeMuxFrame(FRAME.data, 1, Buffer.from('hello')),
  'data, empty': encodeMuxFrame(FRAME.data, 1),
  'data, 127 bytes': encodeMuxFrame(FRAME.data, 3, Buffer.alloc(127, 0xaa)),
  'data, 128 bytes': encodeMuxFrame(FRAME.data, 3, Buffer.alloc(128, 0xaa)),
  end: encodeMuxFrame(FRAME.end, 1),
  reset: encodeMuxFrame(FRAME.reset, 2),
  'reset, id 127': encodeMuxFrame(FRAME.reset, 127),
  'reset, id 128': encodeMuxFrame(FRAME.reset, 128),
  'reset, id 16383': encodeMuxFrame(FRAME.reset, 16_383),
  'reset, id 16384': encodeMuxFrame(FRAME.reset, 16_384),
  'reset, id 2097152': encodeMuxFrame(FRAME.reset, 2_097_152),
  'reset, highest id': encodeMuxFrame(FRAME.reset, 2 ** 31 - 1),
  'window, 1': encodeMuxFrame(FRAME.window, 1, encodeCredit(1)),
  'window, 64 KiB': encodeMuxFrame(FRAME.window, 1, encodeCredit(65_536)),
  'window, highest': encodeMuxFrame(FRAME.window, 1, encodeCredit(2 ** 31 - 1)),
  streams: encodeMuxFrame(FRAME.streams, 0, encodeCredit(32)),
  close: encodeMuxFrame(FRAME.close, 0, encodeCloseReason(CLOSE_REASONS['going-away'])),
  'several in a message': Buffer.concat([
    encodeMuxFrame(FRAME.window, 1, encodeCredit(300)),
    encodeMuxFrame(FRAME.open, 5, encodeStreamOpen('logs')),
    encodeMuxFrame(FRAME.data, 5, Buffer.from('one')),
    encodeMuxFrame(FRAME.data, 1, Buffer.from('two')),
    encodeMuxFrame(FRAME.end, 5),
  ]),
};
