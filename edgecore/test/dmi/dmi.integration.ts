import assert from 'node:assert/strict';
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import http2 from 'node:http2';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import type { ServiceError } from '@grpc/grpc-js';
import { silentLogger, systemClock } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { DeviceDescriber } from '../../src/dmi/device-describer.ts';
import { dmiCounters, type DmiCounters } from '../../src/dmi/dmi-counters.ts';
import { DmiMappers } from '../../src/dmi/dmi-mappers.ts';
import { DmiServer } from '../../src/dmi/dmi-server.ts';
import { EdgeCoreError } from '../../src/errors.ts';
import { ReplicaObjects } from '../../src/objects/replica-objects.ts';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';
import { TwinSite } from '../../testing/twin-site.ts';
import { opened, type Plain } from './dmi-proto.ts';
import { callEdge, callRaw, FakeMapper, registration, type Asked } from './fake-mapper.ts';

const TIMES = { callMs: 3_000, probeMs: 60, answerMs: 3_000, silentMs: 250, forgetMs: 60_000 };
const UNAVAILABLE = 14;

const MODEL = makeModel('model', [
  { name: 'a', maximum: '100' },
  { name: 'b', type: 'DOUBLE', accessMode: 'ReadOnly' },
]);

function device(name: string, desired?: string, more: Plain = {}): Record<string, unknown> {
  const made = makeDevice(name, {
    properties: [
      { name: 'a', ...(desired !== undefined && { desired: { value: desired, metadata: { type: 'int' } } }) },
      { name: 'b' },
    ],
  });
  return { ...made, spec: { ...(made['spec'] as Plain), ...more } };
}

/** The edge with DMI, and everything around it in memory. */
class DmiSite {
  readonly site: TwinSite;
  readonly socket: string;
  readonly counters: DmiCounters = dmiCounters();
  readonly mappers: DmiMappers;
  readonly server: DmiServer;
  bus = new Map<string, string>();

  constructor(
    folder: string,
    options: Partial<ConstructorParameters<typeof DmiMappers>[0]> = {},
    site = new TwinSite(),
  ) {
    this.site = site;
    this.socket = path.join(folder, 'dmi.sock');
    const { directory, twins, replica, lost, state } = site;
    const objects = new ReplicaObjects({ replica, scope: 'node/edge-1', isLost: (key) => lost.has(key) });
    this.mappers = new DmiMappers({
      ...{ directory, twins, state, counters: this.counters },
      describer: new DeviceDescriber({ directory, twins, objects }),
      busMapper: (protocol) => this.bus.get(protocol),
      callsPerSecond: 1000,
      times: TIMES,
      clock: systemClock,
      random: { next: () => 0.01 },
      log: silentLogger,
      ...options,
    });
    const { socket, mappers, counters } = this;
    this.server = new DmiServer({ socket, mappers, counters, log: silentLogger });
  }

  async start(...objects: readonly Record<string, unknown>[]): Promise<void> {
    await this.site.start(...objects);
    await this.open();
  }

  async open(): Promise<void> {
    await this.mappers.start();
    await this.server.start();
  }

  async close(): Promise<void> {
    await this.server.stop();
    await this.mappers.stop();
  }

  async stop(): Promise<void> {
    await this.close();
    await this.site.twins.stop();
    await this.site.directory.stop();
  }

  call(method: string, request: Plain): Promise<Plain> {
    return callEdge(this.socket, method, request);
  }

  state(name: string): string | undefined {
    return this.site.twins.view('default', name)?.state;
  }

  values(name: string): unknown {
    const { twins = [] } = this.site.twins.view('default', name) ?? {};
    return Object.fromEntries(twins.map(({ property, reported }) => [property, reported?.value]));
  }
}

function twins(...values: readonly (readonly [string, string, string?])[]): Plain {
  return {
    twins: values.map(([propertyName, value, observed = '']) => ({
      ...{ propertyName, reported: { value, metadata: { type: 'int', timestamp: '1' } } },
      observedDesired: { value: observed, metadata: { type: 'int' } },
    })),
  };
}

/** Waits until nothing is thrown any more; what is, after 5 s, is the failure. */
async function holds(check: () => unknown): Promise<void> {
  let failure: unknown;
  const look = async (): Promise<boolean> => {
    try {
      await check();
      return true;
    } catch (error) {
      failure = error;
      return false;
    }
  };
  await eventually('it holds', look).catch((error: unknown) => {
    throw failure ?? error;
  });
}

const refused =
  (code: number, text: RegExp) =>
  (error: unknown): boolean => {
    assert.equal((error as ServiceError).code, code, (error as Error).message);
    assert.match((error as ServiceError).details, text);
    return true;
  };

describe('DMI', () => {
  let dir: TempDir;
  let edge: DmiSite;
  let mapper: FakeMapper;

  beforeEach(async () => {
    dir = await makeTempDir();
    edge = new DmiSite(dir.path);
    mapper = new FakeMapper(path.join(dir.path, 'mapper.sock'));
  });

  afterEach(async () => {
    mapper.stop();
    await edge.stop();
    await dir.remove();
  });

  const register = (more: Plain = {}, withData = true): Promise<Plain> =>
    edge.call('MapperRegister', registration(mapper.address, more, withData));
  const isUpdate = ({ method, request }: Asked): boolean =>
    method === 'UpdateDevice' && (request['device'] as Plain)['name'] === 'd';
  const lastUpdate = (): Plain => {
    const found = mapper.asked.findLast(isUpdate)?.request['device'];
    return found as Plain;
  };
  const desiredOf = (message: Plain): unknown =>
    ((message['spec'] as Plain)['properties'] as { desired: { value?: string } }[])[0]?.desired.value;

  describe('a mapper that registers', () => {
    it('is given the devices and models of its protocol as KubeEdge gives them', async () => {
      const methods = [{ name: 'set', description: 'sets', propertyNames: ['a'] }];
      const config = {
        ip: '127.0.0.1',
        port: 502,
        fast: true,
        ratio: 0.5,
        big: 3_000_000_001,
        more: { x: 1 },
      };
      const properties = [
        {
          name: 'a',
          desired: { value: '7', metadata: { type: 'int', timestamp: '5' } },
          visitors: { protocolName: 'virtual', configData: { register: 'HoldingRegister', offset: 2 } },
          collectCycle: 500,
          reportCycle: 2000,
          pushMethod: { mqtt: { address: 'tcp://127.0.0.1:1883', topic: 't', qos: 1, retained: true } },
        },
        { name: 'b', pushMethod: { http: { hostName: 'h', port: 80, requestPath: '/r', timeout: 3 } } },
      ];
      const protocol = { protocolName: 'virtual', configData: config };
      await edge.start(MODEL, device('d', undefined, { methods, properties, protocol }), { ...device('e') });
      await edge.site.put(makeModel('other', [{ name: 'a' }]));
      await mapper.start();
      const answer = await register();
      const [first, second] = answer['deviceList'] as Plain[];
      const spec = first?.['spec'] as Plain;
      const configOf = (of: unknown): unknown => {
        const { configData } = of as { configData: { data: Record<string, unknown> } };
        return Object.fromEntries(Object.entries(configData.data).map(([key, any]) => [key, opened(any)]));
      };
      assert.deepEqual([first?.['name'], first?.['namespace'], second?.['name']], ['d', 'default', 'e']);
      assert.equal(spec['deviceModelReference'], 'model');
      assert.deepEqual(spec['methods'], methods);
      assert.equal((spec['protocol'] as Plain)['protocolName'], 'virtual');
      assert.deepEqual(configOf(spec['protocol']), {
        ip: { type: 'StringValue', value: '127.0.0.1' },
        port: { type: 'FloatValue', value: 502 },
        fast: { type: 'BoolValue', value: true },
        ratio: { type: 'FloatValue', value: 0.5 },
        big: { type: 'Int64Value', value: 3_000_000_001 },
        more: { type: 'Struct', value: { fields: { x: { numberValue: 1 } } } },
      });
      const [a, b] = spec['properties'] as Plain[];
      assert.deepEqual(a?.['desired'], { value: '7', metadata: { type: 'int', timestamp: '5' } });
      assert.deepEqual(configOf(a['visitors']), {
        register: { type: 'StringValue', value: 'HoldingRegister' },
        offset: { type: 'FloatValue', value: 2 },
      });
      assert.deepEqual([a['collectCycle'], a['reportCycle'], a['reportToCloud']], [500, 2000, true]);
      assert.deepEqual(a['pushMethod'], {
        mqtt: { address: 'tcp://127.0.0.1:1883', topic: 't', qos: 1, retained: true },
      });
      // What KubeEdge's framework looks into without asking is there.
      assert.deepEqual([b?.['desired'], b?.['visitors']], [{}, { protocolName: 'virtual', configData: {} }]);
      assert.deepEqual(b?.['pushMethod'], {
        http: { hostname: 'h', port: 80, requestpath: '/r', timeout: 3 },
      });
      assert.equal((first?.['status'] as Plain)['reportToCloud'], true);
      assert.deepEqual(answer['modelList'], [
        {
          name: 'model',
          namespace: 'default',
          spec: {
            properties: [
              { name: 'a', type: 'INT', accessMode: 'ReadWrite', maximum: '100' },
              { name: 'b', type: 'DOUBLE', accessMode: 'ReadOnly' },
            ],
          },
        },
      ]);
      // What it was given it is not told again.
      await holds(() => assert.ok(edge.site.twins.view('default', 'd')));
      assert.deepEqual(mapper.log, []);
    });

    it('without data is told each device, its model first', async () => {
      await edge.start(MODEL, device('d', '1'), device('e'));
      await mapper.start();
      assert.deepEqual(await register({}, false), {});
      await holds(() =>
        assert.deepEqual(mapper.log, ['CreateDeviceModel model', 'RegisterDevice d', 'RegisterDevice e']),
      );
    });

    it('may serve only later, and is told then what has changed since', async () => {
      await edge.start(MODEL, device('d', '1'), device('e', '2'));
      await register();
      await edge.site.put(device('d', '3'));
      await mapper.start();
      await holds(() => assert.deepEqual(mapper.log, ['UpdateDevice d']));
      await holds(() => assert.ok(mapper.probes > 2));
      assert.deepEqual(mapper.log, ['UpdateDevice d']);
    });

    it('may have a protocol that no device has yet', async () => {
      await edge.start(MODEL);
      await mapper.start();
      assert.deepEqual(await register(), {});
      await edge.site.put(device('d', '1'));
      await holds(() => assert.deepEqual(mapper.log, ['CreateDeviceModel model', 'RegisterDevice d']));
    });

    it('with another protocol is given nothing of other devices, and may not speak of them', async () => {
      await edge.start(MODEL, device('d'));
      await mapper.start();
      assert.deepEqual(await register({ protocol: 'Foreign' }), {});
      const report = edge.call('ReportDeviceStatus', {
        deviceName: 'd',
        deviceNamespace: 'default',
        reportedDevice: twins(['a', '1']),
      });
      await assert.rejects(report, refused(9, /no mapper has registered for virtual/));
      await assert.rejects(
        edge.call('ReportDeviceStates', { deviceName: 'x', deviceNamespace: 'default', state: 'ok' }),
        refused(5, /there is no device default\/x/),
      );
      assert.deepEqual(edge.values('d'), { a: undefined, b: undefined });
      assert.deepEqual(mapper.log, []);
    });

    it('is refused where what it says of itself cannot be used', async () => {
      await edge.start(MODEL);
      for (const [more, text] of [
        [{ protocol: 'not a protocol' }, /not the name of a protocol/],
        [{ protocol: '' }, /not the name of a protocol/],
        [{ name: '' }, /has a name/],
        [{ address: Buffer.from('relative.sock') }, /path of its socket/],
        [{ address: Buffer.from(`/${'x'.repeat(200)}`) }, /path of its socket/],
      ] as const)
        await assert.rejects(register(more), refused(3, text));
      await assert.rejects(edge.call('MapperRegister', {}), refused(3, /no mapper in it/));
      assert.deepEqual(edge.mappers.amounts(), { registered: 0, silent: 0, conflicting: 0 });
      assert.equal(edge.counters.calls.refused, 6);
    });

    it('is refused where another one serves its protocol, here or on the bus', async () => {
      await edge.start(MODEL, device('d'));
      await mapper.start();
      await register();
      const second = registration(path.join(dir.path, 'second.sock'), { name: 'second' });
      await assert.rejects(edge.call('MapperRegister', second), refused(6, /virtual-mapper serves virtual/));
      mapper.stop();
      await edge.call('MapperRegister', second); // the first one is gone
      edge.bus.set('modbus', 'modbus');
      const other = registration(mapper.address, { protocol: 'modbus' });
      await assert.rejects(
        edge.call('MapperRegister', other),
        refused(6, /modbus on the event bus serves modbus/),
      );
      assert.equal(edge.counters.calls.conflict, 2);
    });
  });

  describe('what a mapper says', () => {
    beforeEach(async () => {
      await edge.start(MODEL, device('d', '7'));
      await mapper.start();
      await register();
    });

    it('becomes reported values and settled settings', async () => {
      await edge.call('ReportDeviceStatus', {
        ...{ deviceName: 'd', deviceNamespace: 'default' },
        reportedDevice: twins(['a', '6', '9'], ['b', '1.50']),
      });
      assert.deepEqual(edge.values('d'), { a: '6', b: '1.5' });
      const expected = (): unknown => edge.site.twins.view('default', 'd')?.twins[0]?.expected?.settled?.ok;
      assert.equal(expected(), undefined, 'it has observed another value');
      // Frameworks of before namespaces leave them out.
      await edge.call('ReportDeviceStatus', { deviceName: 'd', reportedDevice: twins(['a', '7', '7']) });
      assert.equal(expected(), true);
      assert.deepEqual(edge.values('d'), { a: '7', b: '1.5' });
    });

    it('is refused where it does not fit, and the rest is taken', async () => {
      const report = (reportedDevice: Plain | undefined): Promise<Plain> =>
        edge.call('ReportDeviceStatus', { deviceName: 'd', ...(reportedDevice && { reportedDevice }) });
      await assert.rejects(
        report(twins(['a', 'x'], ['b', '2'], ['c', '1'])),
        refused(3, /a: .*; c: .*no.* "?c"?.*\(other values were taken\)/),
      );
      assert.deepEqual(edge.values('d'), { a: undefined, b: '2' });
      await assert.rejects(report(undefined), refused(3, /no twins in it/));
      const many = Array.from({ length: 1001 }, (_, index) => [`p${String(index)}`, '1'] as const);
      await assert.rejects(report(twins(...many)), refused(3, /1001 twins in it, most 1000/));
    });

    it('becomes the state of the device, in all ways in which it is written', async () => {
      for (const [state, taken] of [
        ['ok', 'ok'],
        ['OK', 'ok'],
        ['online', 'online'],
        ['offline', 'offline'],
        ['DISCONNECTED', 'offline'],
        ['unhealthy', 'unhealthy'],
        ['ERROR', 'unhealthy'],
        ['unknown', 'unknown'],
      ] as const) {
        await edge.call('ReportDeviceStates', { deviceName: 'd', deviceNamespace: 'default', state });
        assert.equal(edge.state('d'), taken, state);
      }
      for (const state of ['', 'fine', 'constructor'])
        await assert.rejects(
          edge.call('ReportDeviceStates', { deviceName: 'd', state }),
          refused(3, /a state is one of/),
        );
    });

    it('may be garbage, and harms nobody', async () => {
      for (const bytes of [Buffer.from([0xff]), Buffer.from('0a ff ff ff ff ff'), Buffer.alloc(64, 0xff)])
        await assert.rejects(callRaw(edge.socket, 'MapperRegister', bytes), refused(3, /cannot be read/));
      await assert.rejects(callRaw(edge.socket, 'Nothing', Buffer.alloc(0)), refused(12, /Nothing/));
      await assert.rejects(
        callRaw(edge.socket, 'ReportDeviceStatus', Buffer.alloc(2 ** 20 + 1)),
        refused(8, /larger|bytes/i),
      );
      const garbage = connect(edge.socket);
      garbage.on('error', () => {});
      garbage.end('GET / HTTP/1.1\r\n\r\n');
      garbage.resume();
      await once(garbage, 'close');
      const brief = connect(edge.socket);
      brief.end();
      brief.resume();
      await once(brief, 'close');
      const silent = connect(edge.socket);
      await once(silent, 'connect');
      await edge.call('ReportDeviceStates', { deviceName: 'd', state: 'ok' });
      silent.destroy();
      assert.equal(edge.counters.calls.malformed, 3);
    });

    it('is taken from clients that make the socket’s path their authority, escaped as grpc-go does', async () => {
      const session = http2.connect('http://edge', { createConnection: () => connect(edge.socket) });
      const request = session.request({
        ...{ ':method': 'POST', ':path': '/v1beta1.DeviceManagerService/ReportDeviceStates', te: 'trailers' },
        ...{ ':authority': encodeURIComponent('/etc/kubeedge/dmi.sock'), 'content-type': 'application/grpc' },
      });
      request.end(
        Buffer.concat([
          Buffer.from([0, 0, 0, 0, 7, 10, 1]),
          Buffer.from('d'),
          Buffer.from([26, 2]),
          Buffer.from('ok'),
        ]),
      );
      request.resume();
      const [trailers] = (await once(request, 'trailers')) as [Record<string, string>];
      assert.equal(trailers['grpc-status'], '0');
      session.close();
      await once(session, 'close');
    });
  });

  it('refuses what one mapper says too often, and takes it again later', async () => {
    edge = new DmiSite(dir.path, { callsPerSecond: 40 });
    await edge.start(MODEL, device('d'));
    await mapper.start();
    await register();
    const flood = Array.from({ length: 200 }, () =>
      edge.call('ReportDeviceStates', { deviceName: 'd', state: 'ok' }).then(
        () => 0,
        (error: unknown) => (error as ServiceError).code,
      ),
    );
    const codes = await Promise.all(flood);
    const count = (code: number): number => codes.filter((found) => found === code).length;
    assert.ok(count(0) >= 16, 'a burst is taken');
    assert.ok(count(8) > 20, 'most are refused');
    // Connections beyond the most that there may be are not taken at all.
    assert.equal(count(0) + count(8) + count(UNAVAILABLE), 200);
    await holds(() => edge.call('ReportDeviceStates', { deviceName: 'd', state: 'ok' }));
    assert.equal(edge.state('d'), 'ok');
  });

  describe('a mapper', () => {
    beforeEach(async () => {
      await edge.start(MODEL, device('d', '7'), device('e', '1'));
      await mapper.start();
      await register();
    });

    it('is told what changes: settings of the cloud and of the edge, new devices, those that are gone', async () => {
      await edge.site.put(device('d', '8'));
      await holds(() => assert.deepEqual(mapper.log, ['UpdateDevice d']));
      assert.equal(desiredOf(lastUpdate()), '8');
      await edge.site.twins.set('default', 'd', { a: '9' });
      await holds(() => assert.deepEqual(mapper.log, ['UpdateDevice d', 'UpdateDevice d']));
      assert.equal(desiredOf(lastUpdate()), '9');
      mapper.asked.length = 0;
      edge.site.twins.report('default', 'd', { a: '9' }); // a reading is no order
      await edge.site.put(
        makeModel('other', [{ name: 'a' }]),
        device('f', '3', { deviceModelRef: { name: 'other' }, properties: [{ name: 'a' }] }),
      );
      await holds(() => assert.deepEqual(mapper.log, ['CreateDeviceModel other', 'RegisterDevice f']));
      mapper.asked.length = 0;
      await edge.site.remove('f');
      await holds(() => assert.deepEqual(mapper.log, ['RemoveDevice f', 'RemoveDeviceModel other']));
      mapper.asked.length = 0;
      await edge.site.put(
        makeModel('model', [
          { name: 'a', maximum: '50' },
          { name: 'b', type: 'DOUBLE', accessMode: 'ReadOnly' },
        ]),
      );
      await holds(() =>
        assert.deepEqual(mapper.log, ['UpdateDeviceModel model', 'UpdateDevice d', 'UpdateDevice e']),
      );
    });

    it('loses a device whose protocol is another one, and keeps one that is not valid any more', async () => {
      await edge.site.put(device('e', 'no number'));
      const made = makeDevice('d', { protocol: 'other', model: 'bare', properties: [{ name: 'a' }] });
      const bare = makeModel('bare', [{ name: 'a' }]);
      await edge.site.put({ ...bare, spec: { ...(bare['spec'] as Plain), protocol: 'other' } }, made);
      await holds(() => assert.deepEqual(mapper.log, ['RemoveDevice d']));
      assert.equal(edge.site.twins.view('default', 'e')?.problems.length, 1);
    });

    it('that refuses a device is asked again, and its reason is shown', async () => {
      mapper.answer = ({ method }) => (method === 'UpdateDevice' ? new Error('no such register') : {});
      await edge.site.put(device('d', '8'));
      const problems = (): unknown =>
        edge.site.twins.view('default', 'd')?.problems.map(({ message }) => message);
      await holds(() => assert.deepEqual(problems(), ['its mapper says: UNKNOWN: no such register']));
      mapper.answer = () => ({});
      mapper.asked.length = 0;
      await edge.site.put(device('e', '2'));
      await holds(() => assert.ok(mapper.log.includes('UpdateDevice e'), 'the others go on'));
      await holds(() => assert.deepEqual(problems(), []));
      assert.deepEqual(
        mapper.log.filter((line) => !line.endsWith(' e')),
        ['CreateDeviceModel model', 'RegisterDevice d', 'UpdateDevice d'],
      );
    });

    it('that dies makes states unknown; it is told everything anew when it is back, what went meanwhile too', async () => {
      await edge.call('ReportDeviceStates', { deviceName: 'd', state: 'online' });
      await holds(() => assert.equal(edge.state('d'), 'online'));
      await holds(() => assert.ok(mapper.probes > 1));
      mapper.stop();
      await holds(() => assert.equal(edge.state('d'), 'unknown'));
      assert.equal(edge.mappers.amounts().silent, 1);
      await edge.site.put(device('d', '70'));
      await edge.site.remove('e');
      await mapper.start();
      await holds(() => {
        assert.ok(mapper.log.includes('RemoveDevice e'));
        assert.deepEqual(
          mapper.log.filter((line) => !line.endsWith(' e')),
          ['CreateDeviceModel model', 'RegisterDevice d', 'UpdateDevice d'],
        );
      });
      assert.equal(desiredOf(lastUpdate()), '70');
      assert.equal(edge.state('d'), 'online', 'as it said last');
      assert.equal(edge.mappers.amounts().silent, 0);
    });

    it('that starts anew and registers has what is so now, and its states are not known', async () => {
      await edge.call('ReportDeviceStates', { deviceName: 'd', state: 'online' });
      mapper.stop();
      await edge.site.put(device('d', '70'));
      await mapper.start();
      const answer = await register();
      assert.deepEqual((answer['deviceList'] as Plain[]).map(desiredOf), ['70', '1']);
      assert.equal(edge.state('d'), 'unknown');
      await edge.site.put(device('d', '71'));
      await holds(() => assert.equal(desiredOf(lastUpdate()), '71'));
    });

    it('gives way to one on the bus that has its protocol, and comes back after it', async () => {
      edge.bus.set('virtual', 'mine');
      await assert.rejects(
        edge.call('ReportDeviceStates', { deviceName: 'd', state: 'ok' }),
        refused(9, /the mapper mine on the event bus serves virtual/),
      );
      assert.equal(edge.mappers.problems().length, 1);
      await holds(() =>
        assert.deepEqual(mapper.log, ['RemoveDevice d', 'RemoveDevice e', 'RemoveDeviceModel model']),
      );
      mapper.asked.length = 0;
      edge.site.twins.setSilent('virtual', true); // that on the bus ends
      edge.bus.clear();
      await holds(() =>
        assert.deepEqual(mapper.log, ['CreateDeviceModel model', 'RegisterDevice d', 'RegisterDevice e']),
      );
      assert.deepEqual(edge.mappers.problems(), []);
      await edge.call('ReportDeviceStates', { deviceName: 'd', state: 'ok' });
      assert.equal(edge.state('d'), 'ok');
    });

    it('is remembered over a restart of the edge core, and goes on to report', async () => {
      await edge.close();
      await edge.site.twins.stop();
      await edge.site.directory.stop();
      const site = edge.site.restarted();
      edge = new DmiSite(dir.path, {}, site);
      await edge.start(device('d', '12'));
      await edge.call('ReportDeviceStatus', { deviceName: 'd', reportedDevice: twins(['a', '11']) });
      assert.deepEqual(edge.values('d'), { a: '11', b: undefined });
      await holds(() => assert.equal(desiredOf(lastUpdate()), '12'));
    });
  });

  it('is not harmed by a mapper that hangs: calls end, the last setting is what it gets', async () => {
    edge = new DmiSite(dir.path, { times: { ...TIMES, callMs: 300 } });
    await edge.start(MODEL, device('d', '7'), device('e', '1'));
    await mapper.start();
    await register();
    mapper.answer = () => undefined;
    for (let value = 10; value < 30; value += 1) await edge.site.put(device('d', String(value)));
    await holds(() => assert.ok(edge.counters.orders.unanswered > 0));
    const second = new FakeMapper(path.join(dir.path, 'second.sock'));
    await second.start();
    await edge.call('MapperRegister', registration(second.address, { name: 'second', protocol: 'other' }));
    const bare = makeModel('bare', [{ name: 'a' }]);
    await edge.site.put(
      { ...bare, spec: { ...(bare['spec'] as Plain), protocol: 'other' } },
      makeDevice('o', { protocol: 'other', model: 'bare', properties: [{ name: 'a' }] }),
    );
    await holds(() => assert.deepEqual(second.log, ['CreateDeviceModel bare', 'RegisterDevice o']));
    second.stop();
    assert.ok(mapper.asked.length < 12, 'not each setting is an order');
    mapper.answer = () => ({});
    await holds(() => assert.equal(desiredOf(lastUpdate()), '29'));
    await holds(() => assert.deepEqual(edge.site.twins.view('default', 'd')?.problems, []));
  });

  it('forgets a mapper that was silent for long, also on the disk', async () => {
    edge = new DmiSite(dir.path, { times: { ...TIMES, forgetMs: 300 } });
    await edge.start(MODEL, device('d'));
    await register(); // it never serves
    assert.equal(edge.site.state.values.size, 1);
    await holds(() => assert.equal(edge.mappers.amounts().registered, 0));
    await holds(() => assert.equal(edge.site.state.values.size, 0));
    assert.equal(edge.state('d'), 'unknown');
  });

  it('takes what a mapper’s socket says that speaks no gRPC for silence', async () => {
    const nonsense = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    nonsense.listen(mapper.address);
    await once(nonsense, 'listening');
    await edge.start(MODEL, device('d'));
    await register({}, false);
    await holds(() => assert.equal(edge.mappers.amounts().silent, 1));
    assert.equal(edge.counters.orders.done, 0);
    nonsense.close();
  });

  it('gives a large node what has place in an answer, and the rest one by one', async () => {
    const config = { text: 'x'.repeat(60_000) };
    const many = Array.from({ length: 60 }, (_, index) =>
      device(`d${String(index)}`, '1', { protocol: { protocolName: 'virtual', configData: config } }),
    );
    await edge.start(MODEL, ...many);
    await mapper.start();
    const given = (await register())['deviceList'] as Plain[];
    assert.ok(given.length > 30 && given.length < 60, String(given.length));
    await holds(() => assert.equal(mapper.log.length, 60 - given.length));
    assert.ok(mapper.log.every((line) => line.startsWith('RegisterDevice ')));
  });

  it('has a socket that only its owner may open, and takes no place of somebody else', async () => {
    await edge.start(MODEL);
    assert.equal((await stat(edge.socket)).mode & 0o777, 0o600);
    const again = new DmiSite(dir.path);
    await assert.rejects(again.server.start(), (error) => {
      assert.ok(error instanceof EdgeCoreError);
      assert.equal(error.code, 'ERR_EDGECORE_DMI');
      assert.match(error.message, /another edgecore listens on it/);
      return true;
    });
    await edge.close();
    await assert.rejects(stat(edge.socket), { code: 'ENOENT' });
    await writeFile(edge.socket, 'mine');
    await assert.rejects(again.server.start(), { code: 'ERR_EDGECORE_DMI' });
  });
});
