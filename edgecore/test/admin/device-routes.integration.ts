import assert from 'node:assert/strict';
import { request } from 'node:http';
import path from 'node:path';
import { DeviceError } from '@hawser/devices';
import { silentLogger } from '@hawser/seams';
import { eventually, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { AdminClient } from '../../src/admin/admin-client.ts';
import { AdminServer, type AdminActions } from '../../src/admin/admin-server.ts';
import { DeviceRoutes, type AdminDevices } from '../../src/admin/device-routes.ts';
import type { DeviceView, TwinChange } from '../../src/twins/twins.ts';

class SampleDevices implements AdminDevices {
  speed = '900';
  readonly listeners = new Set<(change: TwinChange) => void>();

  view(namespace: string, name: string): DeviceView | undefined {
    if (`${namespace}/${name}` !== 'plant/pump-1') return undefined;
    const reported = { value: this.speed, atMs: 5 };
    const twins = [{ property: 'speed', type: 'INT', writable: true, reported }];
    return { namespace, name, protocol: 'modbus', state: 'online', twins, problems: [] };
  }

  views(): readonly DeviceView[] {
    return [this.view('plant', 'pump-1')].filter((view) => view !== undefined);
  }

  set(_namespace: string, _name: string, values: Readonly<Record<string, string>>): Promise<void> {
    const { speed } = values;
    if (speed === undefined)
      return Promise.reject(new DeviceError('ERR_DEVICES_UNKNOWN', 'no such property'));
    this.speed = speed;
    this.changed();
    return Promise.resolve();
  }

  read(_namespace: string, _name: string, properties: readonly string[]): ReturnType<AdminDevices['read']> {
    return Promise.resolve({ values: { asked: properties.join(), speed: this.speed } });
  }

  listen(listener: (change: TwinChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  mappers(): ReturnType<AdminDevices['mappers']> {
    const items = [{ name: 'modbus', protocols: ['modbus'], mode: 'external' as const, secretFile: '/s' }];
    return { items, problems: [] };
  }

  changed(): void {
    for (const listener of this.listeners)
      listener({ namespace: 'plant', name: 'pump-1', properties: ['speed'] });
  }
}

describe('devices on the admin socket', () => {
  let temp: TempDir;
  let server: AdminServer;
  let client: AdminClient;
  let devices: SampleDevices | undefined;

  beforeEach(async () => {
    temp = await makeTempDir();
    devices = new SampleDevices();
    const socket = path.join(temp.path, 'e.sock');
    const actions = {} as AdminActions; // none of them is asked
    const routes = new DeviceRoutes(() => devices);
    server = new AdminServer({ socket, actions, devices: routes, log: silentLogger });
    client = new AdminClient({ socket, timeoutMs: 2_000 });
    await server.start();
  });
  afterEach(async () => {
    await server.stop();
    await temp.remove();
  });

  it('are listed, and shown one by one', async () => {
    assert.deepEqual(
      (await client.devices()).items.map(({ name }) => name),
      ['pump-1'],
    );
    assert.equal((await client.device('plant', 'pump-1')).protocol, 'modbus');
    await assert.rejects(client.device('plant', 'none'), /404: device "none" in namespace "plant" not found/);
    assert.equal((await client.mappers()).items[0]?.name, 'modbus');
  });

  it('are none where the node has none', async () => {
    devices = undefined;
    assert.deepEqual((await client.devices()).items, []);
    assert.deepEqual(await client.mappers(), { items: [], problems: [] });
    await assert.rejects(client.setDevice('plant', 'pump-1', { speed: '1' }), /404: device "pump-1"/);
  });

  it('are read at once, all or some', async () => {
    const all = await client.readDevice('plant', 'pump-1', []);
    assert.deepEqual(all.values, { asked: '', speed: '900' });
    const some = await client.readDevice('plant', 'pump-1', ['a b', 'c&d']);
    assert.equal(some.values['asked'], 'a b,c&d');
  });

  it('are set, and what is not valid is refused with its code', async () => {
    const long = 'é"\n'.repeat(5_000);
    assert.equal(
      (await client.setDevice('plant', 'pump-1', { speed: long })).twins[0]?.reported?.value,
      long,
    );
    await assert.rejects(client.setDevice('plant', 'pump-1', { other: '1' }), /409: no such property/);
    await assert.rejects(client.setDevice('plant', 'pump-1', {}), /400: the body has to be/);
    await assert.rejects(
      client.setDevice('plant', 'pump-1', { speed: 'x'.repeat(300_000) }),
      /400|ECONNRESET|EPIPE/,
    );
  });

  it('take no other bodies', async () => {
    const post = (body: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const socketPath = path.join(temp.path, 'e.sock');
        const asked = request({ socketPath, method: 'POST', path: '/v1/devices/plant/pump-1' }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        asked.on('error', reject);
        asked.end(body);
      });
    for (const body of ['', '{', '[]', '{"values":[]}', '{"values":{"speed":1}}', 'null'])
      assert.equal(await post(body), 400, body);
  });

  it('are watched: now, and after each change', async () => {
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const view of client.watchDevice('plant', 'pump-1', stop.signal))
        seen.push(view.twins[0]?.reported?.value ?? '');
    })();
    await eventually('the first view', () => seen.length === 1);
    await client.setDevice('plant', 'pump-1', { speed: '1200' });
    await eventually('the change', () => seen.at(-1) === '1200');
    stop.abort(new Error('enough'));
    await assert.rejects(watching, { message: 'enough' });
    await eventually('nobody listens', () => devices?.listeners.size === 0);
  });

  it('give who reads slowly the latest only, in bounded memory', async () => {
    const answer = await client.stream('/v1/devices/plant/pump-1?watch=1');
    answer.pause();
    assert.ok(devices);
    for (let round = 0; round < 200; round += 1) {
      devices.speed = `${round} ${'x'.repeat(20_000)}`;
      devices.changed();
    }
    let text = '';
    answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
    answer.resume();
    await eventually('the latest', () => text.includes('"199 '));
    assert.ok(text.length < 200 * 20_000, `${text.length} characters came`);
    answer.destroy();
  });

  it('are watched by a bounded number', async () => {
    const open = await Promise.all(
      Array.from({ length: 16 }, () => client.stream('/v1/devices/plant/pump-1?watch=1')),
    );
    await assert.rejects(client.stream('/v1/devices/plant/pump-1?watch=1'), /429: 16 watches are open/);
    for (const each of open) each.destroy();
    await eventually('there is place again', () => devices?.listeners.size === 0);
    (await client.stream('/v1/devices/plant/pump-1?watch=1')).destroy();
  });
});
