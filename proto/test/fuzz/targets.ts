import assert from 'node:assert/strict';
import { seededRandom } from '@hawser/seams';
import { decodeConnectionFrame, decodeFrame, decodeStreamOpen } from '../../src/codec/codec.ts';
import { decodeEdgeMessage, decodeHubMessage, decodeScopeState } from '../../src/codec/sync-codec.ts';
import { MessageStream, TunnelError, verifyPeer, type TunnelErrorCode } from '../../src/index.ts';
import { FrameStream } from '../../src/session/frame-stream.ts';
import { checkStreamKind } from '../../src/stream/stream-kind.ts';
import { decodeCloseReason } from '../../src/transport/close-reason.ts';
import { nextFrame } from '../../src/transport/identity-exchange.ts';
import { decodeCredit, decodeMuxFrames, FRAME } from '../../src/transport/mux/mux-frame.ts';
import { MemoryStream } from '../stream/memory-stream.ts';
import { randomChunks } from './mutate.ts';

/** Takes hostile bytes; throws, or rejects, if the code under test does anything that it must not do. */
export type FuzzTarget = (bytes: Buffer) => void | Promise<void>;

const MAX_MESSAGE_BYTES = 4096;

/** Fails unless the error is one of ours, of an expected code. */
function expectCode(error: unknown, ...codes: readonly TunnelErrorCode[]): void {
  if (!(error instanceof TunnelError) || !codes.includes(error.code)) throw error;
}

/** Any Error will do: the caller of a protobuf decoder turns it into one of ours. */
function expectError(error: unknown): void {
  assert.ok(error instanceof Error);
  assert.ok(!(error instanceof assert.AssertionError), error);
}

function attempt(decode: () => void, onError: (error: unknown) => void): void {
  try {
    decode();
  } catch (error) {
    onError(error);
  }
}

/** The same bytes always come in the same chunks. */
function chunked(bytes: Buffer): MemoryStream {
  const random = seededRandom(bytes.length * 31 + (bytes[0] ?? 0));
  return new MemoryStream(randomChunks(random, bytes, 1 + ((bytes[bytes.length >> 1] ?? 0) & 63)));
}

async function drainMessages(
  receive: () => Promise<unknown>,
  ...codes: readonly TunnelErrorCode[]
): Promise<void> {
  try {
    while ((await receive()) !== undefined);
  } catch (error) {
    expectCode(error, ...codes);
  }
}

function mux(bytes: Buffer): void {
  let payloadBytes = 0;
  let frames = 0;
  attempt(
    () => {
      for (const { type, streamId, payload } of decodeMuxFrames(bytes)) {
        frames += 1;
        payloadBytes += payload.length;
        assert.ok(Number.isInteger(streamId) && streamId >= 0 && streamId < 2 ** 31);
        assert.equal(payload.buffer, bytes.buffer, 'a payload is a view');
        if (type === FRAME.window || type === FRAME.streams) {
          const credit = decodeCredit(payload);
          assert.ok(Number.isInteger(credit) && credit > 0 && credit < 2 ** 31);
        }
      }
    },
    (error) => expectCode(error, 'ERR_TUNNEL_BAD_FRAME'),
  );
  assert.ok(payloadBytes + 3 * frames <= bytes.length);
}

function frame(bytes: Buffer): void {
  attempt(() => {
    const decoded = decodeFrame(bytes);
    if (decoded.body === 'hello') assert.ok(Number.isSafeInteger(decoded.hello.lastEpoch));
    if (decoded.body === undefined) assert.equal(typeof decoded.ignorable, 'boolean');
  }, expectError);
}

function syncMessage(bytes: Buffer): void {
  attempt(() => decodeScopeState(bytes), expectError);
  attempt(() => {
    const message = decodeEdgeMessage(bytes);
    if (message.body === 'held') assert.ok(Number.isSafeInteger(message.held.id));
  }, expectError);
  attempt(() => {
    const message = decodeHubMessage(bytes);
    if (message.body === 'confirmRemovals') assert.ok(Number.isSafeInteger(message.confirmRemovals.id));
    if (message.body !== 'batch') return;
    for (const change of message.batch.changes) {
      assert.equal(typeof change.key, 'string');
      if (change.body === 'removed') assert.equal(change.removed, true);
    }
  }, expectError);
}

/** What reads bytes of a peer, by name. */
export const FUZZ_TARGETS = {
  mux: mux,
  frame: frame,
  'sync-message': syncMessage,
  'connection-frame': (bytes) => attempt(() => decodeConnectionFrame(bytes), expectError),
  close: (bytes) =>
    attempt(() => {
      const { message } = decodeCloseReason(bytes);
      assert.ok(Buffer.byteLength(message) <= 1024);
      assert.equal(Buffer.from(message).toString(), message, 'well-formed');
    }, expectError),
  head: (bytes) => attempt(() => checkStreamKind(decodeStreamOpen(bytes)), expectError),
  messages: async (bytes) => {
    const messages = new MessageStream(chunked(bytes), MAX_MESSAGE_BYTES);
    await drainMessages(
      async () => {
        const message = await messages.receive();
        assert.ok((message?.length ?? 0) <= MAX_MESSAGE_BYTES);
        return message;
      },
      'ERR_TUNNEL_BAD_FRAME',
      'ERR_TUNNEL_LIMIT',
    );
  },
  'session-stream': async (bytes) => {
    const limits = { maxFrameBytes: MAX_MESSAGE_BYTES, peerMaxFrameBytes: MAX_MESSAGE_BYTES };
    const frames = new FrameStream(chunked(bytes), limits);
    await drainMessages(
      () => frames.receive(),
      'ERR_TUNNEL_BAD_FRAME',
      'ERR_TUNNEL_LIMIT',
      'ERR_TUNNEL_UNKNOWN_FRAME',
    );
  },
  'connection-stream': async (bytes) => {
    const messages = new MessageStream(chunked(bytes), MAX_MESSAGE_BYTES);
    await drainMessages(
      () => nextFrame(messages),
      'ERR_TUNNEL_BAD_FRAME',
      'ERR_TUNNEL_LIMIT',
      'ERR_TUNNEL_UNKNOWN_FRAME',
      'ERR_TUNNEL_CONNECTION_LOST', // the end, where more is due
    );
  },
  certificate: (bytes) =>
    attempt(
      () => verifyPeer(bytes, { role: 'edge', authorities: [] }),
      (error) => {
        if (!(error instanceof TunnelError) || !error.code.startsWith('ERR_TUNNEL_CERT_')) throw error;
      },
    ),
} as const satisfies Record<string, FuzzTarget>;

/** Name of a {@link FUZZ_TARGETS} entry. */
export type FuzzTargetName = keyof typeof FUZZ_TARGETS;
