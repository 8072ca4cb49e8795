import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { HttpApiClient, ResourceClient, RESOURCES, type ApiResource, type KubeObject } from '@hawser/kube';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { Registry } from 'prom-client';
import { parse } from 'yaml';
import { DEVICE_MODELS, DEVICES } from '../../src/cache/bound-devices.ts';
import { DeviceValidator } from '../../src/devices/device-validator.ts';
import { validOf } from '../../src/devices/verdict.ts';
import type { Condition } from '../../src/upstream/conditions.ts';
import { startClusterSite, type ClusterSite } from '../cache/cluster-site.ts';
import { WatchedClient } from '../watched-client.ts';

/** From `cloudcore/dist/test/devices`. */
const CRDS = new URL('../../../../packaging/crds/', import.meta.url);
const VERSION = 'devices.kubeedge.io/v1beta1';

type Fields = Record<string, unknown>;

const PROTOCOL_SCHEMA = {
  type: 'object',
  additionalProperties: false,
  required: ['ip'],
  properties: {
    ip: { type: 'string', minLength: 7, description: 'Address of the device.' },
    port: { type: 'integer', minimum: 1, maximum: 65535, default: 502 },
    mode: { enum: ['fast', 'slow'] },
  },
};
const VISITOR_SCHEMA = {
  type: 'object',
  required: ['offset'],
  properties: {
    offset: { type: 'integer', minimum: 0, maximum: 65535 },
    register: { enum: ['CoilRegister', 'HoldingRegister'] },
  },
};

/** A change of a valid device, the path that its condition names, and a part of the remedy. */
const INVALID: readonly (readonly [(spec: Fields, metadata: Fields) => void, string, string])[] = [
  ...(
    [
      [{ ip: 5 }, '/spec/protocol/configData/ip must be text, is 5', 'in quotes'],
      [{ ip: '1' }, '/spec/protocol/configData/ip', 'Address of the device'],
      [{}, '/spec/protocol/configData/ip must be given', 'Address of the device'],
      [{ ip: '10.0.0.1', port: 0 }, '/spec/protocol/configData/port must be >= 1, is 0', 'from 1 to 65535'],
      [
        { ip: '10.0.0.1', port: 70000 },
        '/spec/protocol/configData/port must be <= 65535, is 70000',
        'to 65535',
      ],
      [{ ip: '10.0.0.1', port: '502' }, '/spec/protocol/configData/port', 'without quotes'],
      [{ ip: '10.0.0.1', port: 1.5 }, '/spec/protocol/configData/port', 'whole number'],
      [{ ip: '10.0.0.1', Port: 502 }, '/spec/protocol/configData/Port is not known', 'Write port.'],
      [
        { ip: '10.0.0.1', speed: 1 },
        '/spec/protocol/configData/speed is not known',
        'one of: ip, port, mode',
      ],
      [
        { ip: '10.0.0.1', mode: 'quick' },
        '/spec/protocol/configData/mode must be one of "fast", "slow"',
        'Write one of',
      ],
      [{ ip: null }, '/spec/protocol/configData/ip', 'in quotes'],
      [{ ip: ['a'] }, '/spec/protocol/configData/ip must be text, is a list', 'text'],
    ] as const
  ).map(
    ([configData, path, remedy]) =>
      [(spec: Fields) => (spec['protocol'] = { protocolName: 'modbus', configData }), path, remedy] as const,
  ),
  ...(
    [
      [{}, '/spec/properties/1/visitors/configData/offset must be given', 'Write it'],
      [
        { offset: -1 },
        '/spec/properties/1/visitors/configData/offset must be >= 0, is -1',
        'from 0 to 65535',
      ],
      [
        { offset: 65536 },
        '/spec/properties/1/visitors/configData/offset must be <= 65535',
        'from 0 to 65535',
      ],
      [{ offset: 'x' }, '/spec/properties/1/visitors/configData/offset', 'whole number'],
      [{ offset: 1.5 }, '/spec/properties/1/visitors/configData/offset', 'whole number'],
      [{ offset: 1, register: 'Coil' }, '/spec/properties/1/visitors/configData/register', 'CoilRegister'],
      [{ offset: true }, '/spec/properties/1/visitors/configData/offset', 'whole number'],
      [{ offset: {} }, '/spec/properties/1/visitors/configData/offset', 'whole number'],
    ] as const
  ).map(([configData, path, remedy]) => [property(1, { visitors: { configData } }), path, remedy] as const),
  ...(
    [
      ['101', '/spec/properties/1/desired/value', 'from 0 to 100 (bar)'],
      ['-1', '/spec/properties/1/desired/value', 'from 0 to 100'],
      ['1.5', '/spec/properties/1/desired/value', 'type INT'],
      ['high', '/spec/properties/1/desired/value', 'type INT'],
      ['0x10', '/spec/properties/1/desired/value', 'type INT'],
      ['99999999999999999999', '/spec/properties/1/desired/value', 'type INT'],
      ['NaN', '/spec/properties/1/desired/value', 'type INT'],
      ['true', '/spec/properties/1/desired/value', 'type INT'],
    ] as const
  ).map(([value, path, remedy]) => [property(1, { desired: { value } }), path, remedy] as const),
  [property(0, { desired: { value: '1' } }), '/spec/properties/0/desired', 'accessMode: ReadWrite'],
  [property(0, { name: 'presure' }), '/spec/properties/0/name', 'Add it to the model'],
  [property(0, { collectCycle: 5 }), '/spec/properties/0/collectCycle must be >= 10, is 5', 'from 10'],
  [property(0, { reportCycle: 3e9 }), '/spec/properties/0/reportCycle', 'from 10'],
  [
    property(0, { visitors: { protocolName: 'opcua', configData: { offset: 1 } } }),
    '/spec/properties/0/visitors/protocolName',
    'one protocol',
  ],
  [
    property(0, { pushMethod: { dbMethod: { redis: {} } } }),
    '/spec/properties/0/pushMethod/dbMethod',
    'write a mapper',
  ],
  [
    property(0, { pushMethod: { anomalyDetection: {} } }),
    '/spec/properties/0/pushMethod/anomalyDetection',
    'on the bus',
  ],
  [
    property(0, { pushMethod: { mqtt: { address: 'x:1', topic: 'a' } } }),
    '/spec/properties/0/pushMethod/mqtt/address',
    'mqtt://',
  ],
  [
    property(0, { pushMethod: { mqtt: { address: 'mqtt://a', topic: '#' } } }),
    '/spec/properties/0/pushMethod/mqtt/topic',
    'one topic',
  ],
  [
    property(0, { pushMethod: { http: { hostName: 'a', port: 0 } } }),
    '/spec/properties/0/pushMethod/http/port',
    '65535',
  ],
  [
    property(0, { pushMethod: { otel: { endpointURL: 'x' } } }),
    '/spec/properties/0/pushMethod/otel/endpointURL',
    '4318',
  ],
  [
    (spec) => (spec['deviceModelRef'] = { name: 'nobody' }),
    '/spec/deviceModelRef/name DeviceModel default/nobody is not there',
    'Apply the model',
  ],
  [(spec) => delete spec['deviceModelRef'], '/spec/deviceModelRef must be given', 'Name the DeviceModel'],
  [(spec) => (spec['deviceModelRef'] = { name: 'A B' }), '/spec/deviceModelRef/name', 'Name the DeviceModel'],
  [
    (spec) => (spec['deviceModelRef'] = { name: 'unsound' }),
    '/spec/deviceModelRef/name DeviceModel default/unsound is not valid: /spec/properties/0/minimum',
    'In the model',
  ],
  [
    (spec) => (spec['protocol'] = { protocolName: 'opcua', configData: { ip: '10.0.0.1' } }),
    '/spec/protocol/protocolName',
    'Use a model of this protocol',
  ],
  [(spec) => (spec['protocol'] = { protocolName: 'mod bus' }), '/spec/protocol/protocolName', 'as modbus'],
  [(spec) => (spec['nodeName'] = 'Edge One'), '/spec/nodeName', 'kubectl get nodes'],
  [(spec) => (spec['stateReport'] = { reportCycle: 1 }), '/spec/stateReport/reportCycle', 'from 10'],
  [
    (spec) => (spec['methods'] = [{ name: 'm', propertyNames: ['speed'] }]),
    '/spec/methods/0/propertyNames/0',
    'pressure, target',
  ],
  [
    (_, metadata) => (metadata['annotations'] = { 'hawser.dev/dead-band.target': 'much' }),
    '/metadata/annotations/hawser.dev~1dead-band.target',
    '2 percent',
  ],
  [
    (_, metadata) => (metadata['annotations'] = { 'hawser.dev/dead-band.label': '1' }),
    '/metadata/annotations/hawser.dev~1dead-band.label',
    'Name one of',
  ],
];

function property(index: number, more: Fields): (spec: Fields) => void {
  return (spec) => Object.assign((spec['properties'] as Fields[])[index] ?? {}, more);
}

function deviceOf(name: string, change: (spec: Fields, metadata: Fields) => void = () => {}): KubeObject {
  const metadata: Fields = { namespace: 'default', name };
  const spec: Fields = {
    deviceModelRef: { name: 'press' },
    nodeName: 'edge-1',
    protocol: { protocolName: 'modbus', configData: { ip: '10.0.0.1' } },
    properties: [
      { name: 'pressure', visitors: { configData: { offset: 1 } } },
      { name: 'target', visitors: { configData: { offset: 2 } }, desired: { value: '20' } },
    ],
  };
  change(spec, metadata);
  return { apiVersion: VERSION, kind: 'Device', metadata: { ...metadata, name }, spec };
}

function modelOf(name: string, properties: readonly Fields[]): KubeObject {
  const spec = { protocol: 'modbus', properties };
  return { apiVersion: VERSION, kind: 'DeviceModel', metadata: { namespace: 'default', name }, spec };
}

const PROPERTIES: readonly Fields[] = [
  { name: 'pressure', type: 'DOUBLE' },
  { name: 'target', type: 'INT', accessMode: 'ReadWrite', minimum: '0', maximum: '100', unit: 'bar' },
];

function schemasOf(name: string, protocol: string, data: Readonly<Record<string, string>>): KubeObject {
  const metadata = { namespace: 'hawser-system', name, labels: { 'hawser.dev/mapper-schema': protocol } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

const MODBUS = schemasOf('modbus', 'modbus', {
  'protocol.json': JSON.stringify(PROTOCOL_SCHEMA),
  'visitor.json': JSON.stringify(VISITOR_SCHEMA),
});

describe('the hub says whether devices are valid', function () {
  this.timeout(60_000);
  let site: ClusterSite;
  let client: WatchedClient;
  let validators: DeviceValidator[];

  beforeEach(async () => {
    site = await startClusterSite();
    client = new WatchedClient(new HttpApiClient({ server: site.fixture.url }));
    validators = [];
  });

  afterEach(async () => {
    await Promise.all(validators.map((validator) => validator.stop()));
    client.close();
    await site.stop();
  });

  const of = (resource: ApiResource): ResourceClient => new ResourceClient(site.client, resource);

  /** Makes the definitions, without conditions where `conditions` is false, as KubeEdge's have none. */
  async function define(conditions = true): Promise<void> {
    for (const name of ['devices', 'devicemodels']) {
      const crd = parse(
        await readFile(new URL(`devices.kubeedge.io_${name}.yaml`, CRDS), 'utf8'),
      ) as KubeObject;
      const [version] = (crd['spec'] as { versions: Fields[] }).versions;
      if (!conditions && version !== undefined) {
        delete version['subresources'];
        delete version['additionalPrinterColumns'];
        const { openAPIV3Schema } = version['schema'] as { openAPIV3Schema: { properties: Fields } };
        openAPIV3Schema.properties['status'] = { type: 'object', properties: { state: { type: 'string' } } };
      }
      await of(RESOURCES.customresourcedefinitions).create(crd);
    }
    await eventually('devices are served', () =>
      of(DEVICES)
        .list('')
        .then(Boolean, () => false),
    );
    await eventually('models are served', () =>
      of(DEVICE_MODELS)
        .list('')
        .then(Boolean, () => false),
    );
  }

  function start(): Registry {
    const registry = new Registry();
    const source = site.cache({ presenceIntervalMs: 200 });
    const validator = new DeviceValidator({
      ...{ client, source, registry, log: silentLogger, clock: systemClock },
      writes: { perSecond: 1000, burst: 1000 },
    });
    validators.push(validator);
    validator.start();
    return registry;
  }

  const conditionOf = async (resource: ApiResource, name: string): Promise<Condition | undefined> =>
    validOf(await of(resource).get('default', name));
  async function becomes(
    name: string,
    status: string,
    message = /^/,
    resource: ApiResource = DEVICES,
  ): Promise<Condition> {
    let found: Condition | undefined;
    try {
      await eventually(`${name} is ${status}`, async () => {
        found = await conditionOf(resource, name);
        return found?.status === status && message.test(String(found['message']));
      });
    } catch (error) {
      throw new Error(`${name}: ${JSON.stringify(found)}`, { cause: error });
    }
    assert.ok(found);
    return found;
  }
  async function eventsAbout(
    name: string,
    namespace = 'default',
  ): Promise<readonly (readonly [string, string])[]> {
    const { items } = await of(RESOURCES.events).list(namespace);
    return items
      .filter((event) => (event['involvedObject'] as Fields)['name'] === name)
      .map((event) => [String(event['reason']), String(event['message'])] as const);
  }
  async function change(resource: ApiResource, name: string, spec: Fields): Promise<void> {
    await of(resource).patch('default', name, 'merge', { spec });
  }

  it(`with path and remedy, of ${INVALID.length} that are not, and again when they are mended`, async () => {
    await define();
    await of(RESOURCES.configmaps).create(MODBUS);
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    await of(DEVICE_MODELS).create(
      modelOf('unsound', [{ name: 'pressure', type: 'INT', minimum: '5', maximum: '1' }]),
    );
    for (const [index, [changeIt]] of INVALID.entries())
      await of(DEVICES).create(deviceOf(`d${index}`, changeIt));
    await of(DEVICES).create(deviceOf('sound'));
    start();

    const sound = await becomes('sound', 'True');
    assert.deepEqual(
      { ...sound, lastTransitionTime: '' },
      {
        type: 'Valid',
        status: 'True',
        reason: 'Valid',
        message: '',
        observedGeneration: 1,
        lastTransitionTime: '',
      },
    );
    assert.match(String(sound.lastTransitionTime), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    for (const [index, [, path, remedy]] of INVALID.entries()) {
      const { message, reason } = await becomes(`d${index}`, 'False');
      assert.ok(String(message).startsWith(path), `${path}: ${String(message)}`);
      assert.ok(String(message).includes(remedy), `${remedy}: ${String(message)}`);
      assert.equal(reason, 'Invalid');
    }
    const unsound = await becomes(
      'unsound',
      'False',
      /^\/spec\/properties\/0\/minimum must be <= maximum/,
      DEVICE_MODELS,
    );
    assert.equal(unsound['reason'], 'Invalid');
    await becomes('press', 'True', /^$/, DEVICE_MODELS);
    const [[reason, message] = [], ...more] = await eventsAbout('d0');
    assert.deepEqual([reason, more], ['DeviceInvalid', []]);
    assert.match(String(message), /^\/spec\/protocol\/configData\/ip must be text/);
    assert.deepEqual(await eventsAbout('sound'), []);
    assert.deepEqual(
      (await eventsAbout('unsound')).map(([each]) => each),
      ['DeviceModelInvalid'],
    );

    for (const index of INVALID.keys()) {
      const { spec } = deviceOf('x') as unknown as { spec: Fields };
      const live = await of(DEVICES).get('default', `d${index}`);
      await of(DEVICES).update({ ...live, metadata: { ...live.metadata, annotations: {} }, spec });
    }
    for (const index of INVALID.keys()) await becomes(`d${index}`, 'True', /^$/);
    assert.deepEqual((await eventsAbout('d0')).map(([each]) => each).sort(), [
      'DeviceInvalid',
      'DeviceValid',
    ]);
  });

  it('when a schema comes, changes, cannot be used, and goes', async () => {
    await define();
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    start();
    await of(DEVICES).create(
      deviceOf('press', (spec) => (spec['protocol'] = { protocolName: 'Modbus', configData: { port: 5 } })),
    );
    const unknown = await becomes('press', 'Unknown', /no schema of modbus is there/);
    assert.equal(unknown['reason'], 'NoSchema');

    await of(RESOURCES.configmaps).create(MODBUS);
    await becomes('press', 'False', /^\/spec\/protocol\/configData\/ip must be given/);
    await change(DEVICES, 'press', { protocol: { configData: { ip: '10.0.0.1' } } });
    await becomes('press', 'True', /^$/);

    const live = await of(RESOURCES.configmaps).get('hawser-system', 'modbus');
    const data = { 'protocol.json': '{"type":"strin"}' };
    await of(RESOURCES.configmaps).patch('hawser-system', 'modbus', 'merge', { data });
    const bad = await becomes(
      'press',
      'Unknown',
      /schema of modbus cannot be used: schema of protocol: .*data\/type/,
    );
    assert.equal(bad['reason'], 'BadSchema');
    await eventually(
      'an event about the ConfigMap',
      async () => (await eventsAbout('modbus', 'hawser-system')).length > 0,
    );
    const [[reason, message] = []] = await eventsAbout('modbus', 'hawser-system');
    assert.equal(reason, 'MapperSchemaInvalid');
    assert.match(String(message), /no device of modbus is checked by it: schema of protocol/);

    await of(RESOURCES.configmaps).patch('hawser-system', 'modbus', 'merge', {
      data: (live as unknown as { data: Fields }).data,
    });
    await becomes('press', 'True', /^$/);
    await of(RESOURCES.configmaps).delete('hawser-system', 'modbus');
    await becomes('press', 'Unknown', /no schema/);
  });

  it('with what the model says of its configuration', async () => {
    await define();
    await of(RESOURCES.configmaps).create(MODBUS);
    const model = modelOf('press', [
      { name: 'pressure', type: 'INT', visitors: { configData: { offset: 70000 } } },
    ]);
    Object.assign(model['spec'] as Fields, { protocolConfigData: { ip: '10.0.0.1' } });
    await of(DEVICE_MODELS).create(model);
    start();
    await of(DEVICES).create(
      deviceOf('press', (spec) => {
        delete spec['protocol'];
        delete spec['properties'];
      }),
    );
    const path =
      '/spec/deviceModelRef/name property "pressure" of the model: /visitors/configData/offset must be <=';
    await becomes('press', 'False', new RegExp(`^${path}`));
    const properties = [{ name: 'pressure', visitors: { configData: { offset: 7 } } }];
    await change(DEVICES, 'press', { properties });
    await becomes('press', 'True', /^$/);
  });

  it('when its model comes, changes and goes, and of devices that no node has', async () => {
    await define();
    await of(RESOURCES.configmaps).create(MODBUS);
    const registry = start();
    await of(DEVICES).create(deviceOf('press', (spec) => delete spec['nodeName']));
    await becomes('press', 'False', /DeviceModel default\/press is not there/);
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    await becomes('press', 'True');
    await of(DEVICE_MODELS).patch('default', 'press', 'merge', {
      spec: { properties: [{ name: 'pressure', type: 'INT' }] },
    });
    await becomes('press', 'False', /^\/spec\/properties\/1\/name "target" is not a property/);
    await change(DEVICES, 'press', { nodeName: 'edge-1' });
    await eventually(
      'it was looked at again',
      async () => (await conditionOf(DEVICES, 'press'))?.['observedGeneration'] === 2,
    );
    await of(DEVICE_MODELS).patch('default', 'press', 'merge', { spec: { properties: PROPERTIES } });
    await becomes('press', 'True');
    assert.match(await registry.metrics(), /hawser_devices\{valid="True"\} 1/);
    await of(DEVICE_MODELS).delete('default', 'press');
    await becomes('press', 'False', /is not there/);
    await of(DEVICES).delete('default', 'press');
    await eventually('it is forgotten', async () =>
      (await registry.metrics()).includes('hawser_devices{valid="False"} 0'),
    );
  });

  it('once, however many hubs there are, and leaves what others say of it', async () => {
    await define();
    await of(RESOURCES.configmaps).create(MODBUS);
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    await of(DEVICES).create(deviceOf('press', property(1, { desired: { value: '101' } })));
    const served = {
      type: 'Served',
      status: 'True',
      reason: 'Served',
      message: '',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    await of(DEVICES).patch(
      'default',
      'press',
      'merge',
      { status: { state: 'ok', conditions: [served] } },
      { subresource: 'status' },
    );
    start();
    start();
    start();
    await becomes('press', 'False');
    const { resourceVersion } = (await of(DEVICES).get('default', 'press')).metadata;
    // Another one is done later: by then all of them have looked at the first.
    await of(DEVICES).create(deviceOf('later'));
    await becomes('later', 'True');
    const live = await of(DEVICES).get('default', 'press');
    assert.equal(live.metadata.resourceVersion, resourceVersion, 'it was written once');
    const { conditions, state } = live['status'] as { conditions: Condition[]; state: string };
    assert.deepEqual(
      [state, conditions[0], conditions[1]?.type, conditions.length],
      ['ok', served, 'Valid', 2],
    );
    assert.equal((await eventsAbout('press')).length, 1);

    const twins = [{ propertyName: 'pressure', reported: { value: '5' } }];
    await of(DEVICES).patch('default', 'press', 'merge', { status: { twins } }, { subresource: 'status' });
    client.calls.length = 0;
    await of(DEVICES).create(deviceOf('last'));
    await becomes('last', 'True');
    assert.deepEqual(
      client.calls.filter((call) => call.includes('/press')),
      [],
      'a report is no reason to look again',
    );
    assert.equal((await conditionOf(DEVICES, 'press'))?.status, 'False');
  });

  it('less and less often where somebody else says something else', async () => {
    await define();
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    await of(DEVICES).create(deviceOf('press'));
    start();
    await becomes('press', 'Unknown');
    const other = { type: 'Valid', status: 'False', reason: 'Other', message: 'x', observedGeneration: 1 };
    const conditions = [{ ...other, lastTransitionTime: '2026-01-01T00:00:00Z' }];
    const contradict = (): Promise<KubeObject> =>
      of(DEVICES).patch('default', 'press', 'merge', { status: { conditions } }, { subresource: 'status' });
    for (let round = 0; round < 4; round++) {
      await contradict();
      await becomes('press', 'Unknown');
    }
    await contradict();
    await of(DEVICES).create(deviceOf('later'));
    await becomes('later', 'Unknown');
    assert.equal(
      (await conditionOf(DEVICES, 'press'))?.['reason'],
      'Other',
      'it waits before it contradicts again',
    );
    await becomes('press', 'Unknown');
  });

  it('to a hub that starts again by nothing: all is as it was', async () => {
    await define();
    await of(RESOURCES.configmaps).create(MODBUS);
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    for (let index = 0; index < 20; index++) {
      await of(DEVICES).create(deviceOf(`d${index}`, (spec) => index % 2 === 0 && delete spec['nodeName']));
    }
    start();
    for (let index = 0; index < 20; index++) await becomes(`d${index}`, 'True');
    await validators.pop()?.stop();
    client.calls.length = 0;
    start();
    await of(DEVICES).create(deviceOf('last'));
    await becomes('last', 'True');
    const calls = client.calls.filter((call) => /devices\/d\d/.test(call));
    assert.deepEqual(calls, []);
  });

  it('by events alone where definitions of others have no conditions', async () => {
    await define(false);
    await of(RESOURCES.configmaps).create(MODBUS);
    await of(DEVICE_MODELS).create(modelOf('press', PROPERTIES));
    await of(DEVICES).create(deviceOf('press', property(1, { desired: { value: '101' } })));
    start();
    await eventually('an event', async () => (await eventsAbout('press')).length === 1);
    await of(DEVICES).create(deviceOf('later', property(1, { desired: { value: '102' } })));
    await eventually('another event', async () => (await eventsAbout('later')).length === 1);
    const patches = client.calls.filter((call) => call.startsWith('PATCH') && call.includes('/press'));
    assert.equal(patches.length, 1, 'it is not tried over and over');
  });
});
