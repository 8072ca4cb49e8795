import assert from 'node:assert/strict';
import {
  decodeEdgeMessage,
  decodeHubMessage,
  decodeScopeState,
  encodeEdgeMessage,
  encodeHubMessage,
  encodeScopeState,
  MAX_EDGE_MESSAGE_BYTES,
  type Change,
} from '../../src/index.ts';
import { golden } from './golden.ts';
import {
  FULL_EDGE_MESSAGES,
  FULL_HUB_MESSAGES,
  MINIMAL_EDGE_MESSAGES,
  MINIMAL_HUB_MESSAGES,
  SCOPE_STATES,
} from './sync-samples.ts';

const later = golden('future');

/** The bytes of this name; a test that misspells one fails. */
function bytes(name: string): Buffer {
  const found = later.get(name);
  assert.ok(found, `test/golden/future.json has no ${name}`);
  return found;
}

/** The fields that a message was given, bytes as hex: for comparing. A list that is empty was not given. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, field]) => name !== 'body' && !(Array.isArray(field) && field.length === 0))
      .map(([name, field]) => [name, plain(field)]),
  );
}

function change(name: string): Change {
  const message = decodeHubMessage(bytes(name));
  assert.ok(message.body === 'batch' && message.batch.changes[0] !== undefined);
  return message.batch.changes[0];
}

interface Sample {
  readonly encoded: Uint8Array;
  readonly decode: (data: Uint8Array) => unknown;
  readonly value: unknown;
}

/** Every sample by the name of its golden entry. */
const samples = new Map<string, Sample>();
for (const [name, value] of Object.entries(SCOPE_STATES))
  samples.set(name, { encoded: encodeScopeState(value), decode: decodeScopeState, value });
for (const [suffix, hub, edge] of [
  ['', FULL_HUB_MESSAGES, FULL_EDGE_MESSAGES],
  [', minimal', MINIMAL_HUB_MESSAGES, MINIMAL_EDGE_MESSAGES],
] as const) {
  for (const [name, value] of Object.entries(hub))
    samples.set(`hub ${name}${suffix}`, {
      encoded: encodeHubMessage(value),
      decode: decodeHubMessage,
      value,
    });
  for (const [name, value] of Object.entries(edge))
    samples.set(`edge ${name}${suffix}`, {
      encoded: encodeEdgeMessage(value),
      decode: decodeEdgeMessage,
      value,
    });
}

describe('Messages of delta sync', () => {
  const kept = golden('sync-messages');

  it('have golden bytes for every sample, and a sample for all bytes', () => {
    const missing = [...samples].filter(([name]) => !kept.has(name));
    const lines = missing.map(
      ([name, { encoded }]) => `  "${name}": "${Buffer.from(encoded).toString('hex')}"`,
    );
    assert.equal(missing.length, 0, `add to test/golden/sync-messages.json:\n${lines.join(',\n')}`);
    assert.deepEqual(
      [...kept.keys()].filter((name) => !samples.has(name)),
      [],
    );
  });

  for (const [name, golden] of kept) {
    it(`are encoded and decoded as ever: ${name}`, () => {
      const sample = samples.get(name);
      assert.ok(sample);
      assert.equal(Buffer.from(sample.encoded).toString('hex'), golden.toString('hex'));
      assert.deepEqual(plain(sample.decode(golden)), plain(sample.value));
    });
  }

  it('are what the schema says, by hand', () => {
    // So that encoder and decoder cannot be wrong together.
    const removed = encodeHubMessage({ batch: { changes: [{ key: 'pods/a/b', removed: true }] } });
    assert.equal(
      Buffer.from(removed).toString('hex'),
      `1a0e0a0c0a08${Buffer.from('pods/a/b').toString('hex')}2001`,
    );
    assert.equal(Buffer.from(encodeEdgeMessage({ held: { id: 300 } })).toString('hex'), '220308ac02');
    assert.equal(Buffer.from(encodeScopeState({ normalForm: 1 })).toString('hex'), '0801');
  });

  it('have every field once it is decoded', () => {
    const state = decodeScopeState(Buffer.alloc(0));
    assert.deepEqual([state.normalForm, state.count, state.digest.length, state.stamp.length], [0, 0, 0, 0]);
    const { key, hash, base, version } = change('sync hub: change of an unknown kind');
    assert.deepEqual([key, hash.length, base.length, version], ['pods/a/b', 0, 0, '']);
  });

  it('that are empty still have a body', () => {
    assert.equal(decodeHubMessage(encodeHubMessage({ inSync: {} })).body, 'inSync');
    const full = encodeHubMessage({ batch: { changes: [{ key: 'k', full: new Uint8Array(0) }] } });
    const message = decodeHubMessage(full);
    assert.ok(message.body === 'batch');
    assert.equal(message.batch.changes[0]?.body, 'full');
  });

  it('give bytes as views', () => {
    const data = Buffer.from(encodeEdgeMessage(FULL_EDGE_MESSAGES.entries));
    const message = decodeEdgeMessage(data);
    assert.ok(message.body === 'entries');
    assert.equal(message.entries.packed.buffer, data.buffer);
  });

  it('of a later release have no body that this one would mistake', () => {
    assert.equal(decodeHubMessage(bytes('sync hub: unknown body')).body, undefined);
    assert.equal(decodeHubMessage(bytes('sync hub: nothing')).body, undefined);
    assert.equal(decodeHubMessage(bytes('sync hub: two bodies')).body, 'askInventory');
    assert.equal(decodeEdgeMessage(bytes('sync edge: unknown body')).body, undefined);
    assert.equal(change('sync hub: change of an unknown kind').body, undefined);
    assert.equal(change('sync hub: batch with unknown fields').body, 'removed');
    const entries = decodeEdgeMessage(bytes('sync edge: entries with unknown fields'));
    assert.ok(entries.body === 'entries' && entries.entries.more && entries.entries.packed.length === 2);
  });

  it('cannot say that something was not removed', () => {
    for (const flag of ['removed', 'rehashed'])
      assert.throws(() => decodeHubMessage(bytes(`sync hub: ${flag} is false`)), /pods\/a\/b: \w+ is false/);
  });

  it('with numbers that would not be exact are refused', () => {
    assert.throws(() => decodeHubMessage(bytes('sync hub: removals of 2^53')), RangeError);
    assert.throws(() => decodeEdgeMessage(bytes('sync edge: held of 2^64-1')), RangeError);
  });

  it('of an edge have a longest size', () => {
    const packed = new Uint8Array(MAX_EDGE_MESSAGE_BYTES);
    assert.throws(() => decodeEdgeMessage(encodeEdgeMessage({ entries: { packed } })), RangeError);
    const rest = packed.subarray(64);
    assert.equal(decodeEdgeMessage(encodeEdgeMessage({ entries: { packed: rest } })).body, 'entries');
  });

  it('with keys that are not UTF-8 are refused', () => {
    assert.throws(() => decodeEdgeMessage(Buffer.from('1a030a01ff', 'hex')));
  });
});
