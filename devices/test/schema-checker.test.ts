import assert from 'node:assert/strict';
import { SchemaChecker, type BoundDevice, type ConfigData, type JsonSchema } from '../src/index.ts';

const PROTOCOL: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: 'https://hawser.dev/schemas/test',
  type: 'object',
  additionalProperties: false,
  required: ['commType'],
  properties: {
    commType: { enum: ['tcp', 'rtu'] },
    ip: { type: 'string', description: 'Address of the device.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 502 },
    serialPort: { type: 'string', pattern: '^/dev/' },
    slaveID: { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 248 },
    tuning: { type: 'object', properties: { retries: { type: 'integer', default: 3 } }, default: {} },
    labels: { type: 'array', maxItems: 2, items: { type: 'string', minLength: 2 } },
  },
  oneOf: [
    { properties: { commType: { const: 'tcp' } }, required: ['ip'] },
    { properties: { commType: { const: 'rtu' } }, required: ['serialPort'] },
  ],
};
const VISITOR: JsonSchema = {
  $id: 'https://hawser.dev/schemas/test',
  $defs: { offset: { type: 'integer', minimum: 0, maximum: 65535 } },
  type: 'object',
  required: ['register'],
  properties: {
    register: { enum: ['CoilRegister', 'HoldingRegister'], description: 'Kind of register.' },
    offset: { $ref: '#/$defs/offset' },
    scale: { type: ['number', 'null'], default: 1 },
  },
  if: { properties: { register: { const: 'CoilRegister' } } },
  then: { properties: { scale: { const: 1 } } },
};

function device(config: ConfigData, ...visitors: readonly ConfigData[]): BoundDevice {
  return {
    namespace: 'plant',
    name: 'press',
    uid: 'u1',
    protocol: 'modbus',
    config,
    properties: visitors.map((visitor, index) => ({
      name: `p${String(index)}`,
      type: 'INT',
      accessMode: 'ReadOnly',
      visitor,
      collectCycleMs: 1000,
      reportCycleMs: 1000,
      reportToCloud: true,
    })),
    state: { reportToCloud: true, reportCycleMs: 1000 },
  };
}

const TCP = { commType: 'tcp', ip: '10.0.0.1' };
const CONFIG = '/spec/protocol/configData';
const VISITOR_0 = '/spec/properties/0/visitors/configData';

/** Configuration, visitor, path, message, remedy. */
const REFUSED: readonly [ConfigData, ConfigData | undefined, string, RegExp, RegExp][] = [
  [{}, undefined, `${CONFIG}/commType`, /^must be given$/, /^Write it\.$/],
  [{ commType: 'tcp' }, undefined, `${CONFIG}/ip`, /^must be given$/, /Address of the device/],
  [{ commType: 'rtu' }, undefined, `${CONFIG}/serialPort`, /^must be given$/, /Write it/],
  [
    { commType: 'udp' },
    undefined,
    `${CONFIG}/commType`,
    /^must be one of "tcp", "rtu", is "udp"$/,
    /^Write one of "tcp", "rtu"\.$/,
  ],
  [
    { commType: 'rtu', serialPort: 'COM1' },
    undefined,
    `${CONFIG}/serialPort`,
    /^must match \^\/dev\/, is "COM1"$/,
    /Correct the text/,
  ],
  [
    { ...TCP, port: 70000 },
    undefined,
    `${CONFIG}/port`,
    /^must be <= 65535, is 70000$/,
    /^Write a number from 1 to 65535\.$/,
  ],
  [{ ...TCP, port: 1.5 }, undefined, `${CONFIG}/port`, /^must be a whole number, is 1.5$/, /without quotes/],
  [
    { ...TCP, port: '502' },
    undefined,
    `${CONFIG}/port`,
    /^must be a whole number, is "502"$/,
    /without quotes/,
  ],
  [{ ...TCP, ip: 5 }, undefined, `${CONFIG}/ip`, /^must be text, is 5$/, /in quotes/],
  [
    { ...TCP, slaveID: 0 },
    undefined,
    `${CONFIG}/slaveID`,
    /^must be > 0, is 0$/,
    /^Write a number above 0 below 248\.$/,
  ],
  [{ ...TCP, Port: 502 }, undefined, `${CONFIG}/Port`, /^is not known$/, /^Write port\.$/],
  [{ ...TCP, speed: 5 }, undefined, `${CONFIG}/speed`, /^is not known$/, /one of: commType, ip, port/],
  [{ ...TCP, 'a/b~c': 5 }, undefined, `${CONFIG}/a~1b~0c`, /^is not known$/, /one of/],
  [
    { ...TCP, tuning: { retries: 'x' } },
    undefined,
    `${CONFIG}/tuning/retries`,
    /whole number, is "x"/,
    /whole number/,
  ],
  [
    { ...TCP, labels: ['aa', 'b'] },
    undefined,
    `${CONFIG}/labels/1`,
    /fewer than 2 characters, is "b"/,
    /Correct/,
  ],
  [{ ...TCP, labels: ['aa', 'bb', 'cc'] }, undefined, `${CONFIG}/labels`, /more than 2 items/, /schema/],
  [TCP, {}, `${VISITOR_0}/register`, /^must be given$/, /Kind of register/],
  [
    TCP,
    { register: 'Coil' },
    `${VISITOR_0}/register`,
    /one of "CoilRegister", "HoldingRegister", is "Coil"/,
    /one of/,
  ],
  [
    TCP,
    { register: 'HoldingRegister', offset: -1 },
    `${VISITOR_0}/offset`,
    /must be >= 0, is -1/,
    /from 0 to 65535/,
  ],
  [
    TCP,
    { register: 'HoldingRegister', scale: 'x' },
    `${VISITOR_0}/scale`,
    /a number or null, is "x"/,
    /a number or null/,
  ],
  [TCP, { register: 'CoilRegister', scale: 2 }, `${VISITOR_0}/scale`, /^must be 1, is 2$/, /^Write 1\.$/],
];

describe('schemas of a protocol', () => {
  let checker: SchemaChecker;
  before(async () => {
    checker = await SchemaChecker.load({ protocol: PROTOCOL, visitor: VISITOR });
  });

  it('fill in defaults, in a copy', () => {
    const given = device(TCP, { register: 'HoldingRegister' });
    const before = JSON.stringify(given);
    const { device: checked, problems } = checker.check(given);
    assert.deepEqual(problems, []);
    assert.deepEqual(checked?.config, { ...TCP, port: 502, tuning: { retries: 3 } });
    assert.deepEqual(checked.properties[0]?.visitor, { register: 'HoldingRegister', scale: 1 });
    assert.equal(JSON.stringify(given), before);
  });

  for (const [config, visitor, path, message, remedy] of REFUSED) {
    it(`refuse ${JSON.stringify(visitor ?? config)} at ${path}`, () => {
      const { device: checked, problems } = checker.check(device(config, ...(visitor ? [visitor] : [])));
      assert.equal(checked, undefined);
      assert.deepEqual(
        problems.map((problem) => problem.path),
        [path],
        JSON.stringify(problems),
      );
      assert.match(problems[0]?.message ?? '', message);
      assert.match(problems[0]?.remedy ?? '', remedy);
    });
  }

  it('say all that is wrong at once, and at most 20', () => {
    const bad = { register: 'HoldingRegister', offset: 70000 };
    const { problems } = checker.check(
      device({ commType: 'tcp', port: 0, ip: 5 }, bad, { register: 'CoilRegister' }, bad),
    );
    assert.deepEqual(
      problems.map(({ path }) => path).sort(),
      [
        `${CONFIG}/ip`,
        `${CONFIG}/port`,
        `${VISITOR_0}/offset`,
        '/spec/properties/2/visitors/configData/offset',
      ].sort(),
    );
    assert.equal(checker.check(device(TCP, ...Array<ConfigData>(100).fill(bad))).problems.length, 20);
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x${String(index)}`, 1]));
    assert.equal(checker.check(device({ ...TCP, ...many })).problems.length, 20);
  });

  it('say of what only the model has that it is there', () => {
    const given = device(TCP, { register: 'x' });
    const [property] = given.properties;
    assert.ok(property);
    const { problems } = checker.check({ ...given, properties: [{ ...property, inherited: true }] });
    assert.equal(problems[0]?.path, '/spec/deviceModelRef/name');
    assert.match(
      problems[0].message,
      /^property "p0" of the model: \/visitors\/configData\/register must be one of/,
    );
  });

  it('leave everything where they say nothing', async () => {
    const anything = await SchemaChecker.load({ protocol: {}, visitor: {} });
    const given = device({ a: [{ b: null }] }, {});
    assert.deepEqual(anything.check(given), { device: given, problems: [] });
  });

  it('do not hold up the process with a pattern', async () => {
    const protocol = { properties: { a: { type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' } } };
    const slow = await SchemaChecker.load({ protocol, visitor: protocol });
    const config = { a: 'a'.repeat(5000) };
    const before = performance.now();
    const { problems } = slow.check(device(config, ...Array<ConfigData>(100).fill(config)));
    assert.ok(performance.now() - before < 2000);
    assert.equal(problems.length, 1);
    assert.match(problems[0]?.message ?? '', /took too long/);
    assert.deepEqual(slow.check(device({ a: 'aaBb' })).problems, []);
  });

  it('do not fall into schemas that go in circles', async () => {
    const circle = { $ref: '#' };
    const round = await SchemaChecker.load({ protocol: circle, visitor: {} });
    assert.match(round.check(device({})).problems[0]?.message ?? '', /cannot be checked/);
  });
});

describe('schemas that are none', () => {
  const cases: readonly [string, unknown, RegExp][] = [
    ['no object', [], /^schema of visitor: must be an object$/],
    ['text', 'x', /must be an object/],
    ['null', null, /must be an object/],
    ['a type that is none', { type: 'strin' }, /data\/type must be/],
    ['another dialect', { $schema: 'http://json-schema.org/draft-04/schema#' }, /no schema with key or ref/],
    ['a keyword that is none', { propertys: {} }, /unknown keyword: "propertys"/],
    [
      'a reference to elsewhere',
      { allOf: [{ $ref: 'https://example.org/a' }] },
      /\/allOf\/0\/\$ref must refer to something in the schema itself/,
    ],
    ['a reference to nothing', { $ref: '#/$defs/a' }, /can't resolve reference/],
    ['a pattern that is none', { pattern: '(' }, /regular expression/],
    ['a pattern too long', { pattern: 'a'.repeat(1001) }, /a pattern of 1001 characters/],
    [
      'a default that is not filled in',
      { oneOf: [{ properties: { a: { default: 1 } } }] },
      /default is ignored/,
    ],
    ['too large', { description: 'x'.repeat(256 * 1024) }, /at most 262144 bytes/],
  ];
  for (const [title, schema, message] of cases) {
    it(title, async () => {
      const visitor = schema as JsonSchema;
      await assert.rejects(SchemaChecker.load({ protocol: {}, visitor }), {
        code: 'ERR_DEVICES_SCHEMA',
        message,
      });
    });
  }

  it('nested too deeply', async () => {
    let schema: Record<string, unknown> = {};
    for (let i = 0; i < 10_000; i++) schema = { not: schema };
    await assert.rejects(SchemaChecker.load({ protocol: schema, visitor: {} }), {
      code: 'ERR_DEVICES_SCHEMA',
      message: /nested at most 64 deep/,
    });
  });
});
