import assert from 'node:assert/strict';
import { bindDevice, checkDevice, checkModel, type Problem } from '../src/index.ts';
import { setAt, validDevice, validModel } from './device-fixtures.ts';

/** What is set where, and the path, message and remedy of the one problem that this makes. */
type Case = readonly [at: string, value: unknown, path: string, message: RegExp, remedy: RegExp];

const P0 = '/spec/properties/0';
const P1 = '/spec/properties/1';
const PUSH = `${P0}/pushMethod`;
const BAND = '/metadata/annotations/hawser.dev~1dead-band.';

/** Found without the model. */
const DEVICES: readonly Case[] = [
  ['/spec', undefined, '/spec', /must be given/, /deviceModelRef, nodeName/],
  ['/spec', 'x', '/spec', /must be an object, is "x"/, /an object/],
  ['/spec', [], '/spec', /must be an object, is a list/, /an object/],
  ['/spec/deviceModelRef', undefined, '/spec/deviceModelRef', /must be given/, /Name the DeviceModel/],
  ['/spec/deviceModelRef', {}, '/spec/deviceModelRef/name', /must be given/, /Name the DeviceModel/],
  ['/spec/deviceModelRef', 'press', '/spec/deviceModelRef', /an object, is "press"/, /an object/],
  [
    '/spec/deviceModelRef/name',
    'Two Words',
    '/spec/deviceModelRef/name',
    /name of an object, is "Two Words"/,
    /DeviceModel/,
  ],
  ['/spec/deviceModelRef/name', 7, '/spec/deviceModelRef/name', /must be text, is 7/, /in quotes/],
  ['/spec/nodeName', 'a/b', '/spec/nodeName', /name of a node, is "a\/b"/, /kubectl get nodes/],
  ['/spec/nodeName', 5, '/spec/nodeName', /must be text, is 5/, /in quotes/],
  ['/spec/protocol', 'modbus', '/spec/protocol', /an object, is "modbus"/, /an object/],
  ['/spec/protocol/protocolName', 'mod bus', '/spec/protocol/protocolName', /is "mod bus"/, /as modbus/],
  ['/spec/protocol/protocolName', 'a/b', '/spec/protocol/protocolName', /is "a\/b"/, /as modbus/],
  ['/spec/protocol/protocolName', '#', '/spec/protocol/protocolName', /is "#"/, /as modbus/],
  ['/spec/protocol/protocolName', '', '/spec/protocol/protocolName', /is ""/, /as modbus/],
  ['/spec/protocol/protocolName', 'x'.repeat(64), '/spec/protocol/protocolName', /at most 63/, /as modbus/],
  ['/spec/protocol/configData', 5, '/spec/protocol/configData', /an object, is 5/, /an object/],
  [
    '/spec/protocol/configData',
    { a: 'x'.repeat(65536) },
    '/spec/protocol/configData',
    /at most 65536 bytes/,
    /Take out/,
  ],
  ['/spec/protocol/configData', nested(70), '/spec/protocol/configData', /nested at most 64/, /flatter/],
  ['/spec/properties', {}, '/spec/properties', /a list, is an object/, /a list/],
  [
    '/spec/properties',
    Array(1001).fill({ name: 'a' }),
    '/spec/properties',
    /at most 1000 entries, has 1001/,
    /several devices/,
  ],
  [P0, 'pressure', P0, /an object, is "pressure"/, /an object/],
  [P0, null, P0, /an object, is null/, /Write the property/],
  [`${P0}/name`, undefined, `${P0}/name`, /must be given/, /Give the property a name/],
  [`${P0}/name`, '', `${P0}/name`, /must be given/, /Give the property a name/],
  [`${P0}/name`, 5, `${P0}/name`, /must be text, is 5/, /quotes/],
  [`${P0}/name`, '__proto__', `${P0}/name`, /other than __proto__/, /another name/],
  [`${P0}/name`, 'a\nb', `${P0}/name`, /control characters.*"a\\nb"/, /another name/],
  [`${P0}/name`, 'x'.repeat(129), `${P0}/name`, /at most 128 characters, has 129/, /another name/],
  [`${P1}/name`, 'pressure', `${P1}/name`, /name of entry 0 as well: "pressure"/, /a name of its own/],
  [`${P0}/visitors`, 'x', `${P0}/visitors`, /an object/, /an object/],
  [`${P0}/visitors/configData`, [1], `${P0}/visitors/configData`, /an object, is a list/, /an object/],
  [`${P0}/visitors/protocolName`, 'a b', `${P0}/visitors/protocolName`, /is "a b"/, /as modbus/],
  [`${P0}/collectCycle`, 5, `${P0}/collectCycle`, /must be >= 10, is 5/, /from 10 to 2147483647/],
  [`${P0}/collectCycle`, -1, `${P0}/collectCycle`, /must be >= 10, is -1/, /from 10/],
  [`${P0}/collectCycle`, 1.5, `${P0}/collectCycle`, /a whole number, is 1.5/, /milliseconds from 10/],
  [`${P0}/collectCycle`, '500', `${P0}/collectCycle`, /a whole number, is "500"/, /without quotes/],
  [
    `${P0}/collectCycle`,
    2 ** 31,
    `${P0}/collectCycle`,
    /must be <= 2147483647, is 2147483648/,
    /to 2147483647/,
  ],
  [`${P0}/reportCycle`, 9, `${P0}/reportCycle`, /must be >= 10, is 9/, /from 10/],
  [`${P0}/reportToCloud`, 'yes', `${P0}/reportToCloud`, /true or false, is "yes"/, /without quotes/],
  [`${P1}/desired`, '20', `${P1}/desired`, /an object, is "20"/, /an object/],
  [`${P1}/desired`, {}, `${P1}/desired/value`, /must be given/, /take `desired` out/],
  [`${P1}/desired/value`, 20, `${P1}/desired/value`, /must be text, is 20/, /in quotes/],
  [`${P1}/desired/value`, 'x'.repeat(16385), `${P1}/desired/value`, /at most 16384 bytes/, /shorter/],
  [`${P1}/desired/metadata`, { a: 1 }, `${P1}/desired/metadata/a`, /must be text, is 1/, /quotes/],
  [
    `${P1}/desired/metadata`,
    entries(17),
    `${P1}/desired/metadata`,
    /at most 16 entries, has 17/,
    /Take some/,
  ],
  [`${P1}/desired/metadata`, { '': 'x' }, `${P1}/desired/metadata`, /1 to 128 char.*, has ""/, /another key/],
  [
    `${P1}/desired/metadata`,
    { ['k'.repeat(129)]: 'x' },
    `${P1}/desired/metadata`,
    /keys of 1 to 128 characters, has "k{59}…$/,
    /another key/,
  ],
  [
    `${P1}/desired/metadata`,
    { 'a/b': 'x'.repeat(1025) },
    `${P1}/desired/metadata/a~1b`,
    /at most 1024 characters, has 1025/,
    /shorter/,
  ],
  [PUSH, 'x', PUSH, /an object/, /an object/],
  [`${PUSH}/dbMethod`, { redis: {} }, `${PUSH}/dbMethod`, /not supported/, /write a mapper/],
  [`${PUSH}/anomalyDetection`, {}, `${PUSH}/anomalyDetection`, /not supported/, /on the bus/],
  [`${PUSH}/mqtt/address`, 1883, `${PUSH}/mqtt/address`, /must be text, is 1883/, /quotes/],
  [`${PUSH}/mqtt/address`, '127.0.0.1:1883', `${PUSH}/mqtt/address`, /is "127.0.0.1:1883"/, /mqtt:\/\/127/],
  [`${PUSH}/mqtt/address`, 'ftp://a', `${PUSH}/mqtt/address`, /mqtt:\/\/.* is "ftp:\/\/a"/, /mqtt:\/\/127/],
  [`${PUSH}/mqtt/topic`, 'a/#', `${PUSH}/mqtt/topic`, /without "\+" and "#".*"a\/#"/, /one topic/],
  [`${PUSH}/mqtt/topic`, '', `${PUSH}/mqtt/topic`, /must be given/, /topic to publish/],
  [`${PUSH}/mqtt/qos`, 3, `${PUSH}/mqtt/qos`, /must be <= 2, is 3/, /from 0 to 2/],
  [`${PUSH}/mqtt/retained`, 1, `${PUSH}/mqtt/retained`, /true or false, is 1/, /true or false/],
  [`${PUSH}/http`, { port: 80 }, `${PUSH}/http/hostName`, /must be given/, /name or address/],
  [`${PUSH}/http`, { hostName: 'a b' }, `${PUSH}/http/hostName`, /is "http:\/\/a b"/, /name or address/],
  [`${PUSH}/http`, { hostName: 'ftp://a' }, `${PUSH}/http/hostName`, /is "ftp:\/\/a"/, /name or address/],
  [`${PUSH}/http`, { hostName: 'a', port: 0 }, `${PUSH}/http/port`, /must be >= 1, is 0/, /to 65535/],
  [
    `${PUSH}/http`,
    { hostName: 'a', port: 70000 },
    `${PUSH}/http/port`,
    /must be <= 65535, is 70000/,
    /to 65535/,
  ],
  [`${PUSH}/http`, { hostName: 'a', timeout: 0 }, `${PUSH}/http/timeout`, /must be >= 1/, /from 1/],
  [
    `${PUSH}/http`,
    { hostName: 'a', requestPath: '/a b' },
    `${PUSH}/http/requestPath`,
    /without spaces/,
    /\/v1/,
  ],
  [`${PUSH}/otel`, {}, `${PUSH}/otel/endpointURL`, /must be given/, /4318/],
  [
    `${PUSH}/otel`,
    { endpointURL: 'localhost:4318' },
    `${PUSH}/otel/endpointURL`,
    /is "localhost:4318"/,
    /4318/,
  ],
  ['/spec/methods', {}, '/spec/methods', /a list/, /a list/],
  ['/spec/methods/0/name', undefined, '/spec/methods/0/name', /must be given/, /Give the method a name/],
  [
    '/spec/methods/0/propertyNames',
    'target',
    '/spec/methods/0/propertyNames',
    /a list, is "target"/,
    /a list/,
  ],
  ['/spec/stateReport', 5, '/spec/stateReport', /an object/, /an object/],
  ['/spec/stateReport/reportCycle', 1, '/spec/stateReport/reportCycle', /must be >= 10, is 1/, /from 10/],
  ['/spec/stateReport/reportToCloud', 0, '/spec/stateReport/reportToCloud', /true or false, is 0/, /true or/],
  [`${BAND}pressure`, '2 bar', `${BAND}pressure`, /a number or a percentage, is "2 bar"/, /2 percent/],
  [`${BAND}pressure`, '-1', `${BAND}pressure`, /is "-1"/, /0\.5/],
  [`${BAND}pressure`, '', `${BAND}pressure`, /is ""/, /0\.5/],
];

/** Found with the model only. */
const BINDINGS: readonly Case[] = [
  [
    `${P0}/name`,
    'presure',
    `${P0}/name`,
    /"presure" is not a property of DeviceModel press/,
    /pressure, target, label/,
  ],
  [
    `${P1}/desired/value`,
    '101',
    `${P1}/desired/value`,
    /must be <= 100, is 101/,
    /INT from 0 to 100 \(bar\)/,
  ],
  [`${P1}/desired/value`, '-1', `${P1}/desired/value`, /must be >= 0, is -1/, /from 0 to 100/],
  [`${P1}/desired/value`, '1.5', `${P1}/desired/value`, /a whole number, as 42, is "1.5"/, /type INT/],
  [`${P0}/desired`, { value: '1' }, `${P0}/desired`, /pressure is ReadOnly/, /accessMode: ReadWrite/],
  [
    '/spec/protocol/protocolName',
    'opcua',
    '/spec/protocol/protocolName',
    /"modbus", is "opcua"/,
    /model of this protocol/,
  ],
  [
    `${P1}/visitors`,
    { protocolName: 'bluetooth' },
    `${P1}/visitors/protocolName`,
    /"modbus", is "bluetooth"/,
    /one protocol/,
  ],
  [
    '/spec/methods/0/propertyNames',
    ['target', 'speed'],
    '/spec/methods/0/propertyNames/1',
    /"speed" is not a property/,
    /target/,
  ],
  [`${BAND}speed`, '1', `${BAND}speed`, /not there: "speed"/, /Name one of: pressure, target/],
];

const MODELS: readonly Case[] = [
  ['/spec', undefined, '/spec', /must be given/, /properties/],
  ['/spec/protocol', 'mod/bus', '/spec/protocol', /is "mod\/bus"/, /as modbus/],
  ['/spec/protocol', true, '/spec/protocol', /must be text, is true/, /quotes/],
  ['/spec/protocolConfigData', 'x', '/spec/protocolConfigData', /an object/, /an object/],
  [`${P0}/name`, 'target', `${P1}/name`, /name of entry 0 as well/, /a name of its own/],
  [`${P0}/type`, undefined, `${P0}/type`, /must be given/, /INT, FLOAT, DOUBLE/],
  [`${P0}/type`, 'int', `${P0}/type`, /one of INT, .* is "int"/, /Write one of INT/],
  [`${P0}/accessMode`, 'WriteOnly', `${P0}/accessMode`, /ReadWrite, ReadOnly, is "WriteOnly"/, /ReadWrite/],
  [`${P0}/unit`, 5, `${P0}/unit`, /must be text, is 5/, /quotes/],
  [`${P0}/description`, {}, `${P0}/description`, /must be text, is an object/, /quotes/],
  [`${P1}/minimum`, 'low', `${P1}/minimum`, /a whole number.*"low"/, /type INT/],
  [`${P1}/minimum`, '101', `${P1}/minimum`, /<= maximum, which is 100, is 101/, /Exchange/],
  [`${P1}/maximum`, '1.5', `${P1}/maximum`, /whole number/, /type INT/],
  [`${P1}/maximum`, '9223372036854775807', `${P1}/maximum`, /64-bit floating point/, /9223372036854775808/],
  [`${P1}/maximum`, {}, `${P1}/maximum`, /must be text/, /quotes/],
  ['/spec/properties/2/maximum', '5', '/spec/properties/2/maximum', /not for STRING/, /Take it out/],
  [`${P0}/visitors`, 'x', `${P0}/visitors`, /an object/, /an object/],
  [`${P0}/visitors/configData`, 'x', `${P0}/visitors/configData`, /an object/, /an object/],
  [`${P0}/visitors/protocolName`, 'a b', `${P0}/visitors/protocolName`, /is "a b"/, /as modbus/],
  [`${BAND}label`, '1', `${BAND}label`, /about "label", which is STRING/, /Take it out/],
  [`${BAND}nothing`, '1', `${BAND}nothing`, /not there: "nothing"/, /pressure/],
];

function nested(depth: number): unknown {
  let value: unknown = {};
  for (let i = 0; i < depth; i++) value = { a: value };
  return value;
}

function entries(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${String(index)}`, 'x']));
}

function only(problems: readonly Problem[], [, , path, message, remedy]: Case): void {
  assert.deepEqual(
    problems.map((problem) => problem.path),
    [path],
    JSON.stringify(problems),
  );
  assert.match(problems[0]?.message ?? '', message);
  assert.match(problems[0]?.remedy ?? '', remedy);
}

function titleOf([at, value]: Case): string {
  return `${at} = ${(JSON.stringify(value) as string | undefined)?.slice(0, 40) ?? 'nothing'}`;
}

describe('an invalid device', () => {
  for (const one of DEVICES) {
    it(titleOf(one), () => {
      const device = validDevice();
      setAt(device, one[0], one[1]);
      only(checkDevice(device), one);
      const binding = bindDevice(device, validModel());
      assert.equal(binding.device, undefined);
      assert.equal(binding.desired.size, 0);
      assert.ok(binding.problems.some(({ path }) => path === one[2]));
    });
  }

  it('is anything at all', () => {
    for (const value of [
      undefined,
      null,
      5,
      'x',
      [],
      true,
      {},
      { spec: null },
      { metadata: 5, spec: { properties: 5 } },
    ]) {
      assert.ok(checkDevice(value).length > 0, JSON.stringify(value));
      assert.ok(checkModel(value).length > 0, JSON.stringify(value));
      assert.equal(bindDevice(value, value).device, undefined);
      assert.equal(bindDevice(validDevice(), value).device, undefined);
    }
  });
});

describe('a device that its model makes invalid', () => {
  for (const one of BINDINGS) {
    it(titleOf(one), () => {
      const device = validDevice();
      setAt(device, one[0], one[1]);
      if (one[0] === `${P0}/name` || one[0] === '/spec/protocol/protocolName')
        setAt(device, `${P0}/visitors`, undefined);
      assert.deepEqual(checkDevice(device), []);
      only(bindDevice(device, validModel()).problems, one);
    });
  }

  it('has a model that is not there', () => {
    const [problem, ...more] = bindDevice(validDevice(), undefined).problems;
    assert.deepEqual(more, []);
    assert.equal(problem?.path, '/spec/deviceModelRef/name');
    assert.equal(problem.message, 'DeviceModel plant/press is not there');
    assert.match(problem.remedy, /Apply the model in the namespace plant/);
  });

  it('has a protocol of nobody', () => {
    const device = validDevice();
    const model = validModel();
    setAt(device, '/spec/protocol', undefined);
    setAt(device, `${P0}/visitors`, undefined);
    setAt(model, '/spec/protocol', undefined);
    assert.deepEqual(
      bindDevice(device, model).problems.map(({ path, message }) => [path, message]),
      [['/spec/protocol/protocolName', 'must be given']],
    );
  });

  it('has a model whose visitors are of another protocol', () => {
    const device = validDevice();
    const model = validModel();
    setAt(device, `${P0}/visitors`, undefined);
    setAt(model, `${P0}/visitors/protocolName`, 'opcua');
    const [problem] = bindDevice(device, model).problems;
    assert.equal(problem?.path, '/spec/deviceModelRef/name');
    assert.match(problem.message, /"pressure".*"opcua".*"modbus"/);
  });

  it('has at most 20 problems', () => {
    const device = validDevice();
    setAt(
      device,
      '/spec/properties',
      Array.from({ length: 50 }, (_, index) => ({ name: `p${String(index)}` })),
    );
    assert.equal(bindDevice(device, validModel()).problems.length, 20);
  });
});

describe('an invalid model', () => {
  for (const one of MODELS) {
    it(titleOf(one), () => {
      const model = validModel();
      setAt(model, one[0], one[1]);
      only(checkModel(model), one);
      const { device, problems } = bindDevice(validDevice(), model);
      assert.equal(device, undefined);
      const [problem] = problems;
      assert.equal(problem?.path, '/spec/deviceModelRef/name');
      assert.ok(
        problem.message.startsWith(`DeviceModel plant/press is not valid: ${one[2]} `),
        problem.message,
      );
    });
  }
});
