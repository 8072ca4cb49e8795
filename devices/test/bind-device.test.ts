import assert from 'node:assert/strict';
import {
  bindDevice,
  checkDevice,
  checkModel,
  METADATA_ENTRIES_MAX,
  METADATA_KEY_MAX,
  METADATA_VALUE_MAX,
  revisionOf,
  type BoundDevice,
} from '../src/index.ts';
import { setAt, validDevice, validModel } from './device-fixtures.ts';

function bound(
  changes: Readonly<Record<string, unknown>> = {},
  ofModel: Readonly<Record<string, unknown>> = {},
): BoundDevice {
  const { device, problems } = bind(changes, ofModel);
  assert.deepEqual(problems, []);
  assert.ok(device);
  return device;
}

function bind(
  changes: Readonly<Record<string, unknown>> = {},
  ofModel: Readonly<Record<string, unknown>> = {},
): ReturnType<typeof bindDevice> {
  const device = validDevice();
  const model = validModel();
  for (const [path, value] of Object.entries(changes)) setAt(device, path, value);
  for (const [path, value] of Object.entries(ofModel)) setAt(model, path, value);
  return bindDevice(device, model);
}

describe('a device with its model', () => {
  it('pushes to the event bus where no other broker is named', () => {
    const path = '/spec/properties/0/pushMethod/mqtt';
    for (const mqtt of [{}, { qos: 1 }, { address: '', topic: '' }, { topic: 'a/b' }]) {
      assert.deepEqual(bound({ [path]: mqtt }).properties[0]?.push, { mqtt });
    }
  });

  it('has what both say, the device before the model', () => {
    const { device, desired, problems } = bind();
    assert.deepEqual(problems, []);
    assert.deepEqual(device, {
      namespace: 'plant',
      name: 'press',
      uid: 'u1',
      protocol: 'modbus',
      config: { port: 502, ip: '10.0.0.1', commType: 'tcp' },
      properties: [
        {
          name: 'pressure',
          type: 'DOUBLE',
          accessMode: 'ReadOnly',
          unit: 'bar',
          visitor: { register: 'HoldingRegister', offset: 2, limit: 2 },
          collectCycleMs: 500,
          reportCycleMs: 2000,
          reportToCloud: true,
          push: { mqtt: { address: 'tcp://127.0.0.1:1883', topic: 'a/b', qos: 1, retained: false } },
        },
        {
          name: 'target',
          type: 'INT',
          accessMode: 'ReadWrite',
          minimum: 0,
          maximum: 100,
          unit: 'bar',
          visitor: {},
          collectCycleMs: 1000,
          reportCycleMs: 1000,
          reportToCloud: true,
        },
      ],
      state: { reportToCloud: true, reportCycleMs: 5000 },
    });
    assert.deepEqual([...desired.keys()], ['target']);
    assert.equal(desired.get('target')?.value, '20');
    assert.deepEqual(desired.get('target')?.written, {
      value: '20',
      metadata: { timestamp: '1700000000000' },
    });
  });

  it('may have metadata up to the bounds with what it is to be', () => {
    const metadata = Object.fromEntries(
      Array.from({ length: METADATA_ENTRIES_MAX }, (_, index) => [
        String.fromCharCode(97 + index).repeat(METADATA_KEY_MAX),
        'ä'.repeat(METADATA_VALUE_MAX),
      ]),
    );
    const { desired } = bind({ '/spec/properties/1/desired/metadata': metadata });
    assert.deepEqual(desired.get('target')?.written.metadata, metadata);
  });

  it('has properties of the model that say how they are read, behind its own', () => {
    const device = bound({ '/spec/properties': [] });
    assert.deepEqual(
      device.properties.map(({ name, inherited, visitor }) => [name, inherited, visitor]),
      [['pressure', true, { offset: 1, limit: 2 }]],
    );
  });

  it('is valid without properties, methods and state report', () => {
    const { properties, state } = bound(
      { '/spec/properties': undefined, '/spec/methods': undefined, '/spec/stateReport': undefined },
      { '/spec/properties/0/visitors': undefined },
    );
    assert.deepEqual([properties, state], [[], { reportToCloud: true, reportCycleMs: 1000 }]);
  });

  it('takes what manifests of KubeEdge have: 0 and "" for nothing, null, names in capitals', () => {
    const device = bound({
      '/spec/protocol/protocolName': 'Modbus',
      '/spec/properties/0/collectCycle': 0,
      '/spec/properties/0/desired': { value: '', metadata: null },
      '/spec/properties/1/desired': { value: '' },
      '/spec/properties/0/pushMethod': {
        dbMethod: null,
        http: { hostName: 'http://127.0.0.1', port: 8080, requestPath: '/p', timeout: 3000 },
      },
      '/spec/nodeName': '',
    });
    assert.equal(device.protocol, 'modbus');
    assert.equal(device.properties[0]?.collectCycleMs, 1000);
    assert.deepEqual(bind({ '/spec/properties/1/desired/value': '' }).desired, new Map());
  });

  it('has the protocol of the model where it says none', () => {
    assert.equal(bound({ '/spec/protocol': undefined }).protocol, 'modbus');
    assert.equal(bound({}, { '/spec/protocol': undefined }).protocol, 'modbus');
  });

  it('has dead bands of its annotations, else of the model’s', () => {
    const annotation = '/metadata/annotations/hawser.dev~1dead-band.';
    const device = bound(
      { [`${annotation}pressure`]: '2%' },
      { [`${annotation}pressure`]: '1', [`${annotation}target`]: '0.5' },
    );
    assert.deepEqual(
      device.properties.map(({ deadBand }) => deadBand),
      [
        { kind: 'percent', by: 2 },
        { kind: 'absolute', by: 0.5 },
      ],
    );
  });

  it('takes bounds as wide as INT for none, and exact ones beyond 2^53', () => {
    const limits = (minimum: string, maximum: string): unknown[] => {
      const device = bound(
        { '/spec/properties/1/desired': undefined },
        { '/spec/properties/1/minimum': minimum, '/spec/properties/1/maximum': maximum },
      );
      return [device.properties[1]?.minimum, device.properties[1]?.maximum];
    };
    assert.deepEqual(limits('-9223372036854775808', '18446744073709551615'), [undefined, undefined]);
    assert.deepEqual(limits('', '9223372036854775808'), [undefined, 2 ** 63]);
  });

  it('has settings in one text, with another version for each way to say them', () => {
    const of = (desired: unknown, uid = 'u1'): { value: string; version: string } | undefined =>
      bind({ '/spec/properties/1/desired': desired, '/metadata/uid': uid }).desired.get('target');
    const first = of({ value: '+07' });
    assert.equal(first?.value, '7');
    assert.equal(of({ value: '+07' })?.version, first.version);
    assert.equal(of({ value: '+07', metadata: {} })?.version, first.version);
    const others = [
      of({ value: '7' }),
      of({ value: '+07', metadata: { a: 'b' } }),
      of({ value: '+07' }, 'u2'),
    ];
    assert.equal(new Set([first.version, ...others.map((other) => other?.version)]).size, 4);
  });

  it('has one revision for the same content, whatever the order of its keys', () => {
    const device = bound();
    const reversed = Object.fromEntries(Object.entries(device).reverse()) as unknown as BoundDevice;
    assert.equal(revisionOf(reversed), revisionOf(device));
    assert.notEqual(revisionOf(bound({ '/spec/protocol/configData/ip': '10.0.0.2' })), revisionOf(device));
  });

  it('is not changed by what is done to it', () => {
    const device = validDevice();
    const model = validModel();
    const before = JSON.stringify([device, model]);
    bindDevice(device, model);
    checkDevice(device);
    checkModel(model);
    assert.equal(JSON.stringify([device, model]), before);
  });
});
