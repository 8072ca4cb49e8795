import assert from 'node:assert/strict';
import {
  decodeConnectionFrame,
  decodeFrame,
  decodeStreamOpen,
  encodeConnectionFrame,
  encodeFrame,
  encodeStreamOpen,
  type OutgoingConnectionFrame,
  type OutgoingFrame,
} from '../../src/codec/codec.ts';
import { decodeCloseReason, encodeCloseReason } from '../../src/transport/close-reason.ts';
import { decodeMuxFrames, encodeMuxFrame } from '../../src/transport/mux/mux-frame.ts';
import { golden, type GoldenFile } from './golden.ts';
import {
  CLOSE_REASONS,
  FULL_CONNECTION_FRAMES,
  FULL_FRAMES,
  GROWN_CONNECTION_FRAMES,
  GROWN_FRAMES,
  MINIMAL_CONNECTION_FRAMES,
  MINIMAL_FRAMES,
  MUX_MESSAGES,
  STREAM_KINDS,
} from './samples.ts';

/**
 * The bytes of every frame, as the first release sent them. Other releases are in the field: an entry of
 * test/golden is never changed and never removed. A new frame, or a frame with a new field, gets a new entry; the
 * old one has to be read as before.
 */
function describeGolden(
  file: GoldenFile,
  samples: ReadonlyMap<string, Uint8Array>,
  check: (name: string, bytes: Buffer) => void,
): void {
  describe(file, () => {
    const kept = golden(file);

    it('has bytes for every sample, and a sample for all bytes', () => {
      const missing = [...samples].filter(([name]) => !kept.has(name));
      const lines = missing.map(([name, bytes]) => `  "${name}": "${Buffer.from(bytes).toString('hex')}"`);
      assert.equal(missing.length, 0, `add to test/golden/${file}.json:\n${lines.join(',\n')}`);
      assert.deepEqual(
        [...kept.keys()].filter((name) => !samples.has(name)),
        [],
      );
    });

    for (const [name, bytes] of kept) {
      it(`encodes ${name}`, () => {
        assert.equal(Buffer.from(samples.get(name) ?? []).toString('hex'), bytes.toString('hex'));
      });

      it(`decodes ${name}`, () => check(name, bytes));
    }
  });
}

/** Samples by name: full ones as `hello`, minimal ones as `hello, minimal`. */
function named<Sample>(
  full: Readonly<Record<string, Sample>>,
  minimal: Readonly<Record<string, Sample>>,
): ReadonlyMap<string, Sample> {
  const minimalByName = Object.entries(minimal).map(
    ([name, sample]) => [`${name}, minimal`, sample] as const,
  );
  return new Map([...Object.entries(full), ...minimalByName]);
}

function encoded<Sample>(
  samples: ReadonlyMap<string, Sample>,
  encode: (sample: Sample) => Uint8Array,
): ReadonlyMap<string, Uint8Array> {
  return new Map([...samples].map(([name, sample]) => [name, encode(sample)]));
}

/** Compares a decoded envelope with the sample: its body, and each field of the message. */
function assertBody(frame: object, sample: object, name: string, grown: object): void {
  const [body, expected] = Object.entries(sample)[0] as [string, unknown];
  const decoded = frame as Readonly<Record<string, unknown>>;
  assert.equal(decoded['body'], body);
  const message = decoded[body];
  if (typeof message !== 'object' || message === null || typeof expected !== 'object' || expected === null) {
    assert.equal(message, expected);
    return;
  }
  assertFields(message, expected, name, grown);
}

/** Compares each field of a decoded message with the sample; absent fields have defaults. */
function assertFields(message: object, expected: object, name: string, grown: object): void {
  const fields = fieldsOf(message);
  for (const [field, value] of Object.entries(fields)) {
    const wanted: unknown = (expected as Readonly<Record<string, unknown>>)[field] ?? defaultLike(value);
    assert.deepEqual(plain(value), plain(wanted), `${name}: ${field}`);
    // A full sample that leaves a field at its default would prove nothing about it.
    if (!name.endsWith(', minimal') && !hasGrown(name, grown))
      assert.notDeepEqual(plain(value), plain(defaultLike(value)), `${name}: ${field} is not full`);
  }
  assert.deepEqual(
    Object.keys(expected).filter((field) => !(field in fields)),
    [],
  );
}

/** Whether there is a later sample of the same frame that has more fields. */
function hasGrown(name: string, grown: object): boolean {
  return Object.keys(grown).some((later) => later.startsWith(`${name}, with `));
}

/** All fields of a decoded message: own ones, and defaults of its prototype. */
function fieldsOf(message: object): Readonly<Record<string, unknown>> {
  const fields: Record<string, unknown> = {};
  for (const name in message) {
    const value: unknown = (message as Readonly<Record<string, unknown>>)[name];
    if (typeof value !== 'function' && !name.startsWith('$')) fields[name] = value;
  }
  return fields;
}

function defaultLike(value: unknown): unknown {
  if (typeof value === 'number') return 0;
  if (typeof value === 'string') return '';
  if (typeof value === 'boolean') return false;
  return value instanceof Uint8Array ? new Uint8Array(0) : [];
}

/** Bytes as hex, so that Buffer and Uint8Array compare. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return Array.isArray(value) ? value.map(plain) : value;
}

describe('Golden bytes', () => {
  const frames = new Map([
    ...named<OutgoingFrame>(FULL_FRAMES, MINIMAL_FRAMES),
    ...Object.entries(GROWN_FRAMES),
  ]);
  describeGolden('session-frames', encoded(frames, encodeFrame), (name, bytes) => {
    const sample = frames.get(name);
    assert.ok(sample);
    const frame = decodeFrame(bytes);
    assertBody(frame, sample, name, GROWN_FRAMES);
    assert.equal(
      Buffer.from(encodeFrame(frame as unknown as OutgoingFrame)).toString('hex'),
      bytes.toString('hex'),
    );
  });

  const connectionFrames = new Map([
    ...named<OutgoingConnectionFrame>(FULL_CONNECTION_FRAMES, MINIMAL_CONNECTION_FRAMES),
    ...Object.entries(GROWN_CONNECTION_FRAMES),
  ]);
  describeGolden('connection-frames', encoded(connectionFrames, encodeConnectionFrame), (name, bytes) => {
    const sample = connectionFrames.get(name);
    assert.ok(sample);
    assertBody(decodeConnectionFrame(bytes), sample, name, GROWN_CONNECTION_FRAMES);
  });

  const kinds = new Map(Object.entries(STREAM_KINDS));
  describeGolden('stream-heads', encoded(kinds, encodeStreamOpen), (name, bytes) => {
    assert.equal(decodeStreamOpen(bytes), kinds.get(name));
  });

  const reasons = new Map(Object.entries(CLOSE_REASONS));
  describeGolden('close-notices', encoded(reasons, encodeCloseReason), (name, bytes) => {
    assert.deepEqual(decodeCloseReason(bytes), { ...reasons.get(name), by: 'remote' });
  });

  describeGolden('mux-frames', new Map(Object.entries(MUX_MESSAGES)), (_name, bytes) => {
    const frames = [...decodeMuxFrames(bytes)];
    assert.ok(frames.length > 0);
    const again = frames.map(({ type, streamId, payload }) => encodeMuxFrame(type, streamId, payload));
    assert.equal(Buffer.concat(again).toString('hex'), bytes.toString('hex'));
  });

  it('of the multiplexer are what its description says', () => {
    // By hand, so that encoder and decoder cannot be wrong together.
    const byName = golden('mux-frames');
    const hex = (name: string): string | undefined => byName.get(name)?.toString('hex');
    assert.equal(hex('open'), '01' + '01' + '09' + '0a07' + Buffer.from('session').toString('hex'));
    assert.equal(hex('data'), '02' + '01' + '05' + Buffer.from('hello').toString('hex'));
    assert.equal(hex('end'), '030100');
    assert.equal(hex('reset, id 128'), '04' + '8001' + '00');
    assert.equal(hex('reset, highest id'), '04' + 'ffffffff07' + '00');
    assert.equal(hex('window, 64 KiB'), '05' + '01' + '03' + '808004');
    assert.equal(hex('streams'), '06' + '00' + '01' + '20');
    assert.deepEqual(
      [...decodeMuxFrames(byName.get('several in a message') ?? Buffer.alloc(0))].map((frame) => [
        frame.type,
        frame.streamId,
        frame.payload.toString('latin1'),
      ]),
      [
        [5, 1, '\xac\x02'],
        [1, 5, '\x0a\x04logs'],
        [2, 5, 'one'],
        [2, 1, 'two'],
        [3, 5, ''],
      ],
    );
  });
});
