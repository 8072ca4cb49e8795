import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { silentLogger, systemClock } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { contentOf, Outbox, unpackJson, UpstreamSession, type ReplicaChange } from '@hawser/sync';
import { edgeConfig } from '../../src/config/options.ts';
import { makeEdgeDevices } from '../../src/edge-devices.ts';
import type { EdgeDevices } from '../../src/edge-devices-types.ts';
import { EventRecorder } from '../../src/events/event-recorder.ts';
import { Reporter } from '../../src/hub/reporter.ts';
import { StoredJsonState } from '../../src/state/stored-json-state.ts';
import { EdgeStore } from '../../src/store/edge-store.ts';
import { makeDevice, makeModel } from '../../testing/device-maker.ts';

const SCOPE = 'node/edge-1';
const MODEL = makeModel('model', [{ name: 'a' }, { name: 'b', accessMode: 'ReadOnly' }]);
const DEVICE = makeDevice('d', { properties: [{ name: 'a', desired: { value: '5' } }, { name: 'b' }] });

/** What the hub was told: kind and body. */
type Told = readonly [string, Record<string, unknown>];

/** Everything of devices over a true store and a true broker. */
class Site {
  readonly dir: string;
  readonly store: EdgeStore;
  readonly outbox: Outbox;
  readonly devices: EdgeDevices;
  readonly registry = new Registry();
  readonly told: Told[] = [];

  private constructor(dir: string, store: EdgeStore, listen: string) {
    this.dir = dir;
    this.store = store;
    const common = { clock: systemClock, log: silentLogger };
    this.outbox = new Outbox({ store: store.outbox });
    const reporter = new Reporter({ outbox: this.outbox, ...common });
    this.devices = makeEdgeDevices({
      ...{
        node: 'edge-1',
        scope: SCOPE,
        store,
        reporter,
        registry: this.registry,
        random: undefined,
        ...common,
      },
      config: edgeConfig({
        data: { dir },
        eventBus: { listen },
        mappers: { dir: path.join(dir, 'mappers.d') },
      }),
      state: new StoredJsonState(store.state, silentLogger),
      events: new EventRecorder({
        report: (key, body) => reporter.event(key, body),
        burst: 9,
        refillMs: 9,
        ...common,
      }),
      mayLack: () => false,
    });
  }

  static async open(dir: string, listen = '127.0.0.1:0'): Promise<Site> {
    await mkdir(path.join(dir, 'mappers.d'), { recursive: true });
    await writeFile(path.join(dir, 'mappers.d', 'virtual.yaml'), 'protocols: [virtual]\n');
    return new Site(dir, await EdgeStore.open({ dir }), listen);
  }

  async put(...objects: readonly Record<string, unknown>[]): Promise<void> {
    const changes = objects.map((object): ReplicaChange => {
      const resource = object['kind'] === 'Device' ? 'devices' : 'devicemodels';
      return { put: contentOf(`${resource}.devices.kubeedge.io`, object) };
    });
    await this.store.replica.apply(SCOPE, changes);
  }

  /** A hub that takes everything. */
  connect(): void {
    const session: UpstreamSession = new UpstreamSession((frame) => {
      assert.ok('upstream' in frame);
      const { sequence = 0, kind = '', body = new Uint8Array(0) } = frame.upstream;
      this.told.push([kind, unpackJson(body) as Record<string, unknown>]);
      const answer = { sequence, status: 0, message: '', retryAfterMs: 0, body: new Uint8Array(0) };
      setImmediate(() => session.onAck(answer));
      return Promise.resolve();
    });
    this.outbox.attach(session);
    this.devices.setConnected(true);
  }

  async mapper(): Promise<MqttClient> {
    const password = (await readFile(path.join(this.dir, 'mappers', 'virtual.secret'), 'utf8')).trim();
    const text = await this.registry.metrics();
    assert.match(text, /hawser_edge_devices/);
    const url = /mqtt:\S+/.exec(this.url)?.[0] ?? '';
    const options = { username: 'virtual', password, clientId: 'virtual/1', reconnectPeriod: 0 } as const;
    const client = connect(url, options);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
    });
    return client;
  }

  url = '';

  async close(): Promise<void> {
    await this.devices.stop();
    await this.outbox.stop();
    await this.store.close();
  }
}

describe('What devices need, put together', () => {
  let temp: TempDir;
  let site: Site;
  let port: number;

  beforeEach(async () => {
    temp = await makeTempDir();
    port = await freePort();
  });

  afterEach(async () => {
    await site.close();
    await temp.remove();
  });

  async function open(): Promise<Site> {
    site = await Site.open(temp.path, `127.0.0.1:${port}`);
    site.url = `mqtt://127.0.0.1:${port}`;
    return site;
  }

  it('goes from the store over the broker to the mapper, and back to the cloud', async () => {
    const { devices, told } = await open();
    await site.put(MODEL, DEVICE);
    await devices.start();
    site.connect();
    const mapper = await site.mapper();
    const heard = new Map<string, string>();
    mapper.on('message', (topic, payload) => heard.set(topic, payload.toString('utf8')));
    await mapper.subscribeAsync('$hw/events/mapper/virtual/#', { qos: 1 });
    const desired = '$hw/events/mapper/virtual/desired/default/d';
    await eventually('what is retained', () => heard.has(desired));
    const { values } = JSON.parse(heard.get(desired) ?? '') as {
      values: Record<string, { value: string; version: string }>;
    };
    assert.equal(values['a']?.value, '5');
    const say = (topic: string, payload: object): Promise<unknown> =>
      mapper.publishAsync(topic, JSON.stringify(payload), { qos: 1 });
    await say('$hw/events/device/default/d/state/update', { state: 'online' });
    await say('$hw/events/device/default/d/twin/update', {
      twin: { a: { actual: { value: '5' } }, b: { actual: { value: '1' } } },
    });
    const results = { a: { version: values['a'].version, ok: true } };
    await say('$hw/events/mapper/virtual/settled/default/d', { results });
    await eventually('a report', () => told.some(([kind]) => kind === 'device'));
    const report = told.find(([kind]) => kind === 'device')?.[1];
    assert.deepEqual([report?.['state'], report?.['uid']], ['online', 'uid-d']);
    assert.equal(devices.view('default', 'd')?.twins[0]?.expected?.settled?.ok, true);

    await devices.set('default', 'd', { a: '6' });
    await eventually('the setting at the mapper', () => heard.get(desired)?.includes('"6"') === true);
    await eventually('the setting in the cloud', () => told.some(([kind]) => kind === 'device-setting'));
    const reading = devices.read('default', 'd', ['a']);
    const command = '$hw/events/mapper/virtual/command/default/d';
    await eventually('the command', () => heard.has(command));
    const { id } = JSON.parse(heard.get(command) ?? '') as { id: string };
    await say('$hw/events/mapper/virtual/command-result/default/d', { id, ok: true, values: { a: '6' } });
    assert.deepEqual(await reading, { values: { a: '6' } });
    const [row] = devices.mappers().items;
    assert.deepEqual([row?.name, row?.mode], ['virtual', 'external']);
    await mapper.endAsync();
  });

  it('works without a bus, which it opens as soon as it can', async function () {
    this.timeout(30_000);
    const other = await listen(port);
    const { devices } = await open();
    await site.put(MODEL, DEVICE);
    await devices.start();
    assert.equal(devices.problems()[0]?.code, 'ERR_EDGECORE_BUS_LISTEN');
    await devices.set('default', 'd', { a: '7' });
    assert.equal(devices.view('default', 'd')?.twins[0]?.expected?.value, '7');
    await assert.rejects(devices.read('default', 'd', []), { code: 'ERR_EDGECORE_DEVICE_READ' });
    await new Promise((resolve) => other.close(resolve));
    await eventually('the bus', () => devices.problems().length === 0, { deadlineMs: 15_000 });
    const mapper = await site.mapper();
    await mapper.endAsync();
  });

  it('has what was set and what was reported after a restart', async () => {
    const { devices } = await open();
    await site.put(MODEL, DEVICE);
    await devices.start();
    await devices.set('default', 'd', { a: '8' });
    const mapper = await site.mapper();
    const twin = { twin: { b: { actual: { value: '3' } } } };
    await mapper.publishAsync('$hw/events/device/default/d/twin/update', JSON.stringify(twin), { qos: 1 });
    await mapper.endAsync();
    await site.close();
    const again = await open();
    await again.devices.start();
    const [a, b] = again.devices.view('default', 'd')?.twins ?? [];
    assert.deepEqual([a?.expected?.value, a?.expected?.from, b?.reported?.value], ['8', 'edge', '3']);
  });

  it('stops twice, and before it has started', async () => {
    const { devices } = await open();
    await devices.stop();
    await devices.stop();
  });
});

async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

async function freePort(): Promise<number> {
  const server = await listen(0);
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
