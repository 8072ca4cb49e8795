import assert from 'node:assert/strict';
import { randomBelow, seededRandom } from '@hawser/seams';
import { scaled } from '@hawser/seams/testing';
import {
  bindDevice,
  DeviceError,
  readBase,
  readMapperCommand,
  readMapperCommandResult,
  readMapperDesired,
  readMapperDevice,
  readMapperHeartbeat,
  readMapperHello,
  readMapperRefused,
  readMapperSettled,
  readStateUpdate,
  readTwinUpdate,
  revisionOf,
  type MapperDevice,
} from '../src/index.ts';
import { validDevice, validModel } from './device-fixtures.ts';

const annotated = validDevice();
Object.assign(annotated['metadata'] as object, { annotations: { 'hawser.dev/dead-band.pressure': '2%' } });
const { device } = bindDevice(annotated, validModel());
if (device === undefined) throw new Error('the fixture is not valid');
const mapperDevice: MapperDevice = { revision: revisionOf(device), device };

const TIME = 1_700_000_000_000;

/** One good message for each reader. */
const MESSAGES = {
  readBase: { read: readBase, message: { event_id: 'e1', timestamp: TIME } },
  readStateUpdate: { read: readStateUpdate, message: { event_id: 'e1', timestamp: TIME, state: 'online' } },
  readTwinUpdate: {
    read: readTwinUpdate,
    message: {
      event_id: 'e1',
      timestamp: TIME,
      twin: {
        pressure: { actual: { value: '1', metadata: { timestamp: TIME } }, metadata: { type: 'Updated' } },
      },
    },
  },
  readMapperSettled: {
    read: readMapperSettled,
    message: { results: { target: { version: 'v1', ok: false, message: 'busy' } } },
  },
  readMapperRefused: {
    read: readMapperRefused,
    message: { revision: 'r1', problems: [{ path: '/spec', message: 'm', remedy: 'r' }] },
  },
  readMapperCommandResult: {
    read: readMapperCommandResult,
    message: { id: 'c1', ok: true, message: 'fine', values: { pressure: '1' } },
  },
  readMapperHello: {
    read: readMapperHello,
    message: { mapper: 'modbus', version: '1', schemas: { protocol: { type: 'object' }, visitor: {} } },
  },
  readMapperHeartbeat: { read: readMapperHeartbeat, message: { devices: 2, online: 1, dropped: 0 } },
  readMapperDevice: { read: readMapperDevice, message: mapperDevice },
  readMapperDesired: {
    read: readMapperDesired,
    message: { values: { target: { value: '20', version: 'v1' } } },
  },
  readMapperCommand: {
    read: readMapperCommand,
    message: { id: 'c1', kind: 'read', properties: ['pressure'] },
  },
} as const;

type ReaderName = keyof typeof MESSAGES;
const NAMES = Object.keys(MESSAGES) as ReaderName[];

function bytesOf(message: unknown): Uint8Array {
  return Buffer.from(typeof message === 'string' ? message : JSON.stringify(message));
}

/** What each reader says of a message; throws where it throws anything but what it may. */
function tryRead(name: ReaderName, bytes: Uint8Array | string): boolean {
  try {
    MESSAGES[name].read(bytes);
    return true;
  } catch (error) {
    assert.ok(error instanceof DeviceError, `${name}: ${String(error)}`);
    assert.equal(error.code, 'ERR_DEVICES_MESSAGE');
    assert.ok(error.message.length < 3000);
    return false;
  }
}

describe('messages of the bus', () => {
  it('are read as they were written', () => {
    for (const name of NAMES) {
      const { read, message } = MESSAGES[name];
      for (const form of [bytesOf(message), JSON.stringify(message)]) {
        const found = read(form);
        if (name.startsWith('readMapper')) assert.deepEqual(found, message, name);
      }
    }
    assert.deepEqual(readBase(''), { eventId: '', timestampMs: undefined });
    assert.deepEqual(readStateUpdate(bytesOf(MESSAGES.readStateUpdate.message)), {
      eventId: 'e1',
      timestampMs: TIME,
      state: 'online',
    });
  });

  it('may have members that nobody reads', () => {
    for (const name of NAMES) assert.ok(tryRead(name, bytesOf({ ...MESSAGES[name].message, more: [{}] })));
  });

  it('have values as numbers and booleans, and times as text, as KubeEdge’s programs say them', () => {
    const { eventId, timestampMs, twin } = readTwinUpdate(
      bytesOf({
        event_id: 7,
        timestamp: String(TIME),
        twin: {
          a: { actual: { value: 21.5, metadata: { timestamp: '2023-11-14T22:13:20Z' } } },
          b: { actual: { value: true }, optional: false, metadata: null },
          c: { expected: { value: '', metadata: {} }, actual: null },
          d: { actual: { value: 9007199254740991, metadata: { timestamp: 0 } } },
          constructor: { actual: { value: -0 } },
        },
      }),
    );
    assert.deepEqual([eventId, timestampMs], ['7', TIME]);
    assert.deepEqual(Object.fromEntries(twin), {
      a: { actual: { value: '21.5', metadata: { timestamp: TIME } } },
      b: { actual: { value: 'true' }, optional: false },
      c: { expected: { value: '' } },
      d: { actual: { value: '9007199254740991' } },
      constructor: { actual: { value: '0' } },
    });
    assert.equal(readStateUpdate('{"state":"OFFLINE"}').state, 'offline');
    assert.equal(readStateUpdate('{"state":"ok"}').timestampMs, undefined);
  });

  it('are refused with the place where they are wrong', () => {
    const twin = (said: string): string => `{"twin":{"a":${said}}}`;
    const cases: readonly [ReaderName, string, RegExp][] = [
      ['readBase', 'x', /^is no JSON$/],
      ['readBase', '[]', /^must be an object, is a list$/],
      ['readBase', 'null', /^must be an object, is null$/],
      ['readBase', '{"event_id":{}}', /^\/event_id must be text/],
      ['readBase', '{"timestamp":"soon"}', /^\/timestamp must be a time.*"soon"/],
      ['readBase', '{"timestamp":-1}', /^\/timestamp must be a time/],
      ['readBase', '{"timestamp":1e300}', /^\/timestamp must be a time/],
      ['readStateUpdate', '{}', /^\/state must be text, is not given$/],
      ['readStateUpdate', '{"state":"fine"}', /^\/state must be one of ok, online, .*"fine"/],
      ['readTwinUpdate', '{}', /^\/twin must be an object, is not given$/],
      ['readTwinUpdate', '{"twin":{}}', /^\/twin must have at least one/],
      ['readTwinUpdate', '{"twin":[]}', /^\/twin must be an object, is a list/],
      ['readTwinUpdate', '{"twin":{"a/b":null}}', /^\/twin\/a~1b must be an object, is null/],
      ['readTwinUpdate', '{"twin":{"__proto__":{"actual":{"value":"1"}}}}', /__proto__/],
      ['readTwinUpdate', twin('{}'), /^\/twin\/a must have expected or actual/],
      ['readTwinUpdate', twin('{"actual":"1"}'), /^\/twin\/a\/actual must be an object/],
      ['readTwinUpdate', twin('{"actual":{}}'), /^\/twin\/a\/actual\/value must be text, a number/],
      ['readTwinUpdate', twin('{"actual":{"value":{}}}'), /is an object/],
      ['readTwinUpdate', twin('{"actual":{"value":18446744073709551615}}'), /must be in quotes/],
      ['readTwinUpdate', twin('{"actual":{"value":1e999}}'), /64 bits/],
      ['readTwinUpdate', twin('{"actual":{"value":"1"},"optional":1}'), /^\/twin\/a\/optional must be true/],
      [
        'readTwinUpdate',
        twin('{"actual":{"value":"1","metadata":{"timestamp":[]}}}'),
        /\/metadata\/timestamp/,
      ],
      [
        'readMapperSettled',
        '{"results":{"a":{"version":1,"ok":true}}}',
        /^\/results\/a\/version must be text, is 1/,
      ],
      [
        'readMapperSettled',
        '{"results":{"a":{"version":"1","ok":1}}}',
        /^\/results\/a\/ok must be true or false/,
      ],
      ['readMapperRefused', '{"revision":"r","problems":[{}]}', /^\/problems\/0\/path must be text/],
      ['readMapperRefused', '{"problems":[]}', /^\/revision/],
      ['readMapperHello', '{"mapper":"a","version":"1","schemas":{"protocol":{}}}', /^\/schemas\/visitor/],
      ['readMapperHeartbeat', '{"devices":-1}', /^\/devices must be a whole number from 0, is -1/],
      ['readMapperCommandResult', '{"id":"1","ok":true,"values":{"a":null}}', /^\/values\/a/],
      ['readMapperDevice', '{"revision":"r","device":{}}', /^\/device\//],
      ['readMapperDesired', '{"values":{"a":{"value":1}}}', /^\/values\/a\/value must be text, is 1/],
      ['readMapperCommand', '{"id":"1","kind":"write"}', /^\/kind must be read, is "write"/],
    ];
    for (const [name, text, message] of cases) {
      assert.throws(
        () => MESSAGES[name].read(text),
        { code: 'ERR_DEVICES_MESSAGE', message },
        `${name} ${text}`,
      );
    }
  });

  it('are bounded in size, in entries and in texts', () => {
    const entries = Object.fromEntries(
      Array.from({ length: 1001 }, (_, index) => [`p${String(index)}`, { actual: { value: '1' } }]),
    );
    assert.throws(() => readTwinUpdate(bytesOf({ twin: entries })), {
      message: /at most 1000 entries, has 1001/,
    });
    assert.throws(() => readTwinUpdate(Buffer.alloc(1024 * 1024 + 1, 32)), {
      message: /is 1048577 bytes, most 1048576/,
    });
    assert.throws(() => readBase(bytesOf({ event_id: 'x'.repeat(257) })), {
      message: /at most 256 characters/,
    });
    assert.throws(() => readTwinUpdate(bytesOf({ twin: { ['x'.repeat(129)]: { actual: { value: '' } } } })), {
      message: /at most 128 characters/,
    });
    const problem = { path: '/spec', message: 'x'.repeat(5000) };
    const { problems } = readMapperRefused(bytesOf({ revision: 'r', problems: Array(30).fill(problem) }));
    assert.equal(problems.length, 20);
    assert.deepEqual([problems[0]?.message.length, problems[0]?.remedy], [2048, '']);
    assert.throws(() => readBase(Uint8Array.of(0x22, 0xff, 0x22)), { message: 'is no JSON' });
    const schemas = { protocol: { description: 'x'.repeat(256 * 1024) }, visitor: {} };
    assert.throws(() => readMapperHello(bytesOf({ mapper: 'a', version: '1', schemas })), {
      message: /\/schemas\/protocol is/,
    });
    assert.ok(!tryRead('readTwinUpdate', `{"twin":${'['.repeat(100_000)}${']'.repeat(100_000)}}`));
    assert.ok(!tryRead('readTwinUpdate', `{"twin":{"a":${'{"b":'.repeat(50_000)}1${'}'.repeat(50_000)}}}`));
  });

  it('never make a reader throw anything but its own error', () => {
    const random = seededRandom(20_261_122);
    const below = (bound: number): number => randomBelow(random, bound);
    const odd = [
      'null',
      '-1',
      '1e999',
      '"\\ud800"',
      '[]',
      '{}',
      'true',
      '""',
      '"__proto__"',
      '9007199254740993',
    ];
    let read = 0;
    let refused = 0;
    for (let round = 0; round < scaled(4_000, 200_000); round++) {
      const name = NAMES[below(NAMES.length)] ?? 'readBase';
      const text = JSON.stringify(MESSAGES[name].message);
      const at = below(text.length);
      const to = Math.min(text.length, at + below(12));
      const changed = [
        (): string => text.slice(0, at) + text.slice(to),
        (): string => text.slice(0, at) + String.fromCharCode(below(65536)) + text.slice(at + 1),
        (): string => text.slice(0, at),
        (): string =>
          text.replace(/"[^"]*"(?=[,}\]])|\d+|true|false/g, (found) =>
            below(4) === 0 ? (odd[below(odd.length)] ?? '') : found,
          ),
        (): string => text.replace(/"[^"]*":/g, (found) => (below(6) === 0 ? '"__proto__":' : found)),
      ][below(5)];
      const bytes = Buffer.from(changed?.() ?? '');
      if (below(3) === 0 && bytes.length > 0) bytes[below(bytes.length)] = below(256);
      if (tryRead(name, bytes)) read++;
      else refused++;
    }
    assert.ok(read > 100 && refused > 1000, `${String(read)} read, ${String(refused)} refused`);
    assert.equal(({} as Record<string, unknown>)['actual'], undefined);
  });
});
