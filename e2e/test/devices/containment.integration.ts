import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ModbusPeer } from '@hawser/mapper-modbus/testing';
import { delay } from '@hawser/seams';
import { eventually } from '@hawser/seams/testing';
import { connectAsync, type MqttClient } from 'mqtt';
import { DevicesSite, writeDefinition } from '../../src/devices-site/devices-site.ts';
import { registerDevice, registerModel, reportedValue } from '../../src/devices-site/device-objects.ts';

const UNIT = 7;
const PROPERTIES = [{ name: 'level', offset: 0, collectCycle: 100, reportCycle: 100 }];
const MQTT = createRequire(import.meta.url).resolve('mqtt');

/** A program that floods the bus, as fast as it is let. */
const FLOOD = `
const mqtt = require(${JSON.stringify(MQTT)});
const client = mqtt.connect(process.env.HAWSER_BUS_URL, {
  username: process.env.HAWSER_MAPPER_NAME, password: process.env.HAWSER_MAPPER_SECRET,
  clientId: process.env.HAWSER_MAPPER_NAME,
});
client.on('connect', () => {
  const more = () => {
    for (let index = 0; index < 500; index += 1) client.publish('flood/x', 'x'.repeat(100), { qos: 0 });
    setImmediate(more);
  };
  more();
});
client.on('error', () => {});
`;

describe('a mapper that does harm', function () {
  this.timeout(120_000);
  let peer: ModbusPeer;
  let site: DevicesSite;
  const close: (() => Promise<void>)[] = [];

  before(async function () {
    const missing = ModbusPeer.missing();
    if (missing !== undefined) {
      console.log(`    left out: ${missing}`);
      this.skip();
    }
    peer = await ModbusPeer.tcp();
    close.push(() => peer.stop());
    site = await DevicesSite.open({ hub: { heartbeatSeconds: 2 } });
    close.push(() => site.close());
    // The definition is there before the edge looks for it the next time.
    await writeDefinition(site.mappersDir, 'other', { protocols: ['other'] });
    const at = { node: site.edge.node, model: 'tank', port: peer.port, unit: UNIT };
    await peer.set(UNIT, 'holding', 0, [500]);
    await site.create(registerModel('tank', PROPERTIES), registerDevice('tank-1', at, PROPERTIES));
    await site.until('tank-1', (seen) => reportedValue(seen, 'level') === '500', 40_000);
  });
  after(async () => {
    for (const each of close.reverse()) await each();
  });

  let value = 500;
  /** A change of the register is in the API; answers how long it took. */
  async function passesThrough(deadlineMs = 20_000): Promise<number> {
    value += 1;
    const startedMs = performance.now();
    await peer.set(UNIT, 'holding', 0, [value]);
    await site.until('tank-1', (seen) => reportedValue(seen, 'level') === String(value), deadlineMs);
    return performance.now() - startedMs;
  }

  const mapperState = async (name: string) =>
    (await site.edge.admin.mappers()).items.find((mapper) => mapper.name === name);

  /** What a client of the bus needs to know. */
  async function credentials(name: string): Promise<{ url: string; secret: string }> {
    const { secretFile = '' } = (await mapperState(name)) ?? {};
    const { bus } = await site.edge.admin.mappers();
    return { url: bus?.url ?? '', secret: (await readFile(secretFile, 'utf8')).trim() };
  }

  it('by being killed, is started again', async () => {
    const before = await mapperState('modbus');
    assert.ok(before?.pid);
    process.kill(before.pid, 'SIGKILL');
    await eventually('another one runs', async () => {
      const { pid } = (await mapperState('modbus')) ?? {};
      return pid !== undefined && pid !== before.pid;
    });
    await passesThrough();
    assert.match((await mapperState('modbus'))?.lastEnd ?? '', /SIGKILL/);
  });

  it('by hanging, is ended and started again, and its devices are unknown meanwhile', async () => {
    const before = await mapperState('modbus');
    assert.ok(before?.pid);
    process.kill(before.pid, 'SIGSTOP');
    await site.until('tank-1', ({ status }) => status?.state === 'unknown', 30_000);
    await eventually(
      'another one runs',
      async () => {
        const { pid } = (await mapperState('modbus')) ?? {};
        return pid !== undefined && pid !== before.pid;
      },
      { deadlineMs: 60_000 },
    );
    await passesThrough(40_000);
  });

  it('by flooding the bus, disturbs nobody, and is counted', async () => {
    const script = path.join(site.cluster.dir, 'flood.cjs');
    await writeFile(script, FLOOD);
    const calm = [await passesThrough(), await passesThrough(), await passesThrough()];
    await writeDefinition(site.mappersDir, 'flood', {
      topics: { publish: ['flood/#'] },
      run: { command: [process.execPath, script] },
      messagesPerSecond: 100,
    });
    await eventually('it runs', async () => (await mapperState('flood'))?.state === 'running', {
      deadlineMs: 20_000,
    });
    await delay(2_000); // in full flood
    const { rssBytes } = (await site.edge.admin.status()).process;
    const flooded = [];
    for (let round = 0; round < 5; round += 1) flooded.push(await passesThrough());
    await delay(3_000); // what is kept for it would grow meanwhile
    const after = (await site.edge.admin.status()).process.rssBytes;
    assert.ok(after - rssBytes < 40 * 1024 * 1024, `memory grew by ${(after - rssBytes) / 1024 / 1024} MB`);
    const worst = Math.max(...flooded);
    assert.ok(
      worst < 5_000,
      `a change takes ${flooded.join(', ')} ms; without a flood ${calm.join(', ')} ms`,
    );
    assert.match(await site.edge.admin.metrics(), /hawser_edge_bus_\w*throttled\w*(\{[^}]*\})? [1-9]/);
  });

  it('by saying what others have to say, is cut off, and nothing of it is believed', async () => {
    const { url, secret } = await credentials('other');
    const liar = async (clientId: string): Promise<MqttClient> =>
      await connectAsync(url, { username: 'other', password: secret, clientId, reconnectPeriod: 0 });
    await assert.rejects(
      connectAsync(url, { username: 'modbus', password: secret, reconnectPeriod: 0 }),
      /auth|denied|bad user/i,
    );
    await assert.rejects(connectAsync(url, { reconnectPeriod: 0 }), /auth|denied|bad user/i);
    await assert.rejects(liar('modbus'), /./, 'the session of another one');
    const client = await liar('other');
    const closed = new Promise<void>((resolve) => client.on('close', () => resolve()));
    client.on('error', () => {});
    const lie = JSON.stringify({
      event_id: '',
      timestamp: Date.now(),
      twin: { level: { actual: { value: '9' } } },
    });
    client.publish('$hw/events/device/default/tank-1/twin/update', lie, { qos: 1 });
    await closed;
    await passesThrough();
    const values = (await site.edge.admin.device('default', 'tank-1')).twins.map(
      ({ reported }) => reported?.value,
    );
    assert.deepEqual(values, [String(value)]);
    assert.match(await site.edge.admin.metrics(), /hawser_edge_bus_\w*refused\w*\{[^}]*\} [1-9]/);
  });
});
