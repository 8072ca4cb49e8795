import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eventually, makeTempDir, scaled, within, type TempDir } from '@hawser/seams/testing';
import type { MqttClient } from 'mqtt';
import { connected, givenBus, mqttClient, type GivenBus } from './given-bus.ts';

const LASTING = { clientId: 'app/lasting', clean: false } as const;

/** Ends with what has come, in order. */
function collect(client: MqttClient): string[] {
  const heard: string[] = [];
  client.on('message', (_topic, payload) => heard.push(payload.toString()));
  return heard;
}

describe('lasting sessions of the embedded bus', () => {
  let dir: TempDir;
  let given: GivenBus | undefined;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(async () => {
    await given?.end();
    given = undefined;
    await dir.remove();
  });

  const restart = async (): Promise<GivenBus> => {
    await given?.end();
    return (given = await givenBus(dir.path));
  };

  it('keep what came while their client was away, in order, over a restart', async () => {
    const first = await restart();
    let { bus } = first;
    const { client } = first;
    const before = await client('app', LASTING);
    await before.subscribeAsync(['app/#', 'app/2'], { qos: 1 });
    await before.endAsync();
    const publisher = await client('all');
    for (const n of [1, 2, 3]) await publisher.publishAsync(`app/${n}`, `${n}`, { qos: 1 });
    await publisher.publishAsync('app/4', 'not of QoS 0', { qos: 0 });
    await bus.publish('app/5', '5');
    ({ bus } = await restart());
    assert.equal(bus.status().queued, 4);
    const after = mqttClient(bus.url, 'app', LASTING);
    const heard = collect(after);
    const { sessionPresent } = await connected(after);
    assert.equal(sessionPresent, true);
    await eventually('all four', () => heard.length === 4);
    assert.deepEqual(heard, ['1', '2', '3', '5']);
    await eventually('nothing waits', () => bus.status().queued === 0);
    await after.endAsync();
    ({ bus } = await restart());
    assert.equal(bus.status().queued, 0);
  });

  it('go with a clean session of the same client', async () => {
    const { client, bus } = await restart();
    const before = await client('app', LASTING);
    await before.subscribeAsync('app/#', { qos: 1 });
    await before.endAsync();
    assert.equal(bus.status().sessions, 1);
    const after = await client('app', { clientId: 'app/lasting' });
    await after.endAsync();
    assert.equal(bus.status().sessions, 0);
    assert.equal((await restart()).bus.status().sessions, 0);
  });

  it('take QoS 2 once, over a restart between PUBLISH and PUBREL', async () => {
    const first = await restart();
    let { bus } = first;
    const { client } = first;
    const subscriber = await client('app', LASTING);
    await subscriber.subscribeAsync('app/#', { qos: 2 });
    await subscriber.endAsync();
    const publisher = await client('all', { clientId: 'all/1', clean: false });
    await publisher.publishAsync('app/1', 'once', { qos: 2 });
    ({ bus } = await restart());
    assert.equal(bus.status().queued, 1);
    const after = mqttClient(bus.url, 'app', LASTING);
    const heard = collect(after);
    await connected(after);
    await eventually('it is there and done', () => bus.status().queued === 0);
    assert.deepEqual(heard, ['once']);
    await after.endAsync();
  });

  it('drop the oldest where there is no room, and count it', async () => {
    given = await givenBus(dir.path, { sessionMaxMessages: 10, sessionMaxBytes: 16_384 });
    const { client, bus } = given;
    const before = await client('app', LASTING);
    await before.subscribeAsync('app/#', { qos: 1 });
    await before.endAsync();
    const publisher = await client('all');
    for (let n = 1; n <= 25; n += 1) await publisher.publishAsync('app/n', `${n}`, { qos: 1 });
    assert.equal(bus.status().queued, 10);
    assert.equal(bus.counters.dropped.get('session'), 15);
    await publisher.publishAsync('app/large', Buffer.alloc(10_000, 'a'), { qos: 1 });
    await publisher.publishAsync('app/large', Buffer.alloc(10_000, 'b'), { qos: 1 });
    const after = mqttClient(bus.url, 'app', LASTING);
    const heard = collect(after);
    await connected(after);
    await eventually('what is left', () => bus.status().queued === 0);
    assert.equal(heard.length, 1);
    assert.equal(heard[0]?.[0], 'b');
    await after.endAsync();
  });

  it('are a hundred at most: the one that is away the longest is forgotten', async () => {
    given = await givenBus(dir.path, { maxSessions: 2 });
    const { client, bus } = given;
    for (const id of ['app/a', 'app/b', 'app/c']) {
      const one = await client('app', { clientId: id, clean: false });
      await one.subscribeAsync('app/#', { qos: 1 });
      if (id !== 'app/b') await one.endAsync();
    }
    assert.equal(bus.status().sessions, 2);
    assert.equal(bus.counters.forgotten, 1);
    const back = mqttClient(bus.url, 'app', { clientId: 'app/c', clean: false });
    assert.equal((await connected(back)).sessionPresent, true);
    // Both are here now: nobody makes room.
    const more = mqttClient(bus.url, 'app', { clientId: 'app/a', clean: false });
    await assert.rejects(connected(more), { code: 3 });
    await Promise.all([back.endAsync(true), more.endAsync(true)]);
  });

  it('come with what others have retained, which outlasts a restart; what the edge core has retained does not', async () => {
    let { bus } = await restart();
    const mapper = await given?.client('modbus');
    await mapper?.publishAsync('$hw/events/mapper/modbus/hello', 'hello', { qos: 1, retain: true });
    await bus.publish('$hw/events/mapper/modbus/devices/factory/pump', 'pump', { retain: true });
    assert.equal(bus.status().retained, 2);
    ({ bus } = await restart());
    assert.equal(bus.status().retained, 1);
    const heard: (readonly [string, string | undefined, boolean])[] = [];
    bus.subscribe('$hw/events/mapper/+/hello', ({ payload, client, retain }) => {
      heard.push([Buffer.from(payload).toString(), client?.name, retain]);
    });
    assert.deepEqual(heard, [['hello', 'modbus', true]]);
    const again = await given?.client('modbus');
    await again?.publishAsync('$hw/events/mapper/modbus/hello', '', { qos: 1, retain: true });
    ({ bus } = await restart());
    assert.equal(bus.status().retained, 0);
  });

  it('have their will published after a kill, unless their client comes back', async () => {
    const { child, url } = await startProcess(dir.path);
    const will = { topic: 'app/gone', payload: Buffer.from('bye'), qos: 1, retain: false } as const;
    for (const id of ['app/gone', 'app/back']) {
      const client = mqttClient(url, 'app', { clientId: id, clean: false, will });
      client.on('error', () => undefined);
      await connected(client);
    }
    child.kill('SIGKILL');
    await once(child, 'exit');
    given = await givenBus(dir.path, {}, { willGraceMs: 1000 });
    const heard: string[] = [];
    given.bus.subscribe('app/gone', ({ client }) => void heard.push(client?.name ?? ''));
    const back = mqttClient(given.bus.url, 'app', { clientId: 'app/back', clean: false });
    await connected(back);
    assert.deepEqual(heard, []);
    await eventually('the will of the other one', () => heard.length > 0);
    assert.deepEqual(heard, ['app']);
    await back.endAsync(true);
  });

  it('go on in memory where the disk refuses, and are on it as soon as it does not', async () => {
    const blocked = path.join(dir.path, 'blocked');
    writeFileSync(blocked, 'a file where the folder should be');
    given = await givenBus(blocked);
    const { client, bus } = given;
    const before = await client('app', LASTING);
    await before.subscribeAsync('app/#', { qos: 1 });
    await before.endAsync();
    assert.ok(bus.counters.diskErrors > 0);
    const publisher = await client('all');
    await publisher.publishAsync('app/1', 'in memory', { qos: 1 });
    assert.equal(bus.status().queued, 1);
    rmSync(blocked);
    await given.end(); // writes all of it
    given = await givenBus(blocked);
    assert.equal(given.bus.status().queued, 1);
  });

  it('write nothing for clean sessions, and nothing for what was delivered at once', async () => {
    const { client } = await restart();
    const log = path.join(dir.path, 'sessions.log');
    const publisher = await client('all', {
      will: { topic: 'app/gone', payload: Buffer.from('x'), qos: 1, retain: false },
    });
    const hears = await client('app');
    await hears.subscribeAsync('app/#', { qos: 1 });
    const heard = collect(hears);
    await publisher.publishAsync('app/1', '1', { qos: 1 });
    await eventually('it is there', () => heard.length === 1);
    assert.equal(existsSync(log), false);
    const lasting = await client('app', LASTING);
    await lasting.subscribeAsync('app/#', { qos: 1 });
    const size = statSync(log).size;
    for (let n = 0; n < 20; n += 1) await publisher.publishAsync('app/1', '1'.repeat(1000), { qos: 1 });
    const written = statSync(log).size - size;
    assert.ok(written < 10_000, `${written} bytes were written for 20,000 that nobody waits for`);
  });

  it('lose nothing that was acknowledged when edgecore is killed', async () => {
    const acknowledged = new Set<number>();
    const heard = new Set<number>();
    let sent = 0;
    for (let round = 0; round < scaled(2, 20); round += 1) {
      const { child, url } = await startProcess(dir.path);
      await hearAll(url, round === 0);
      const publisher = mqttClient(url, 'all');
      publisher.on('error', () => undefined);
      await connected(publisher);
      const before = acknowledged.size;
      for (let n = 0; n < 300; n += 1) {
        const number = (sent += 1);
        publisher.publish('app/n', String(number), { qos: 1 }, (error) => {
          if (!(error instanceof Error)) acknowledged.add(number);
        });
        if (n % 50 === 49) await new Promise(setImmediate);
      }
      await eventually('some are acknowledged', () => acknowledged.size > before);
      child.kill('SIGKILL');
      await once(child, 'exit');
      await publisher.endAsync(true);
    }
    const { child, url } = await startProcess(dir.path);
    await hearAll(url, false);
    assert.deepEqual(
      [...acknowledged].filter((number) => !heard.has(number)),
      [],
    );
    assert.ok(acknowledged.size > 0);
    child.stdin?.end();
    await once(child, 'exit');

    /** Until everything that was acknowledged has come. */
    async function hearAll(busUrl: string, isFirst: boolean): Promise<void> {
      const subscriber = mqttClient(busUrl, 'app', LASTING);
      subscriber.on('message', (_topic, payload) => heard.add(Number(payload.toString())));
      await connected(subscriber);
      if (isFirst) await subscriber.subscribeAsync('app/#', { qos: 1 });
      await eventually('what was acknowledged', () => [...acknowledged].every((number) => heard.has(number)));
      await subscriber.endAsync();
    }
  });
});

async function startProcess(dir: string): Promise<{ child: ChildProcess; url: string }> {
  const file = new URL('./bus-process.js', import.meta.url);
  const child = spawn(process.execPath, [file.pathname, dir], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = await within('its URL', once(child.stdout, 'data') as Promise<[Buffer]>, 15_000);
  return { child, url: line.toString().trim() };
}
