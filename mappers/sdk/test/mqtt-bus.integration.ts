import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import path from 'node:path';
import { mapperDeviceTopic, revisionOf } from '@hawser/devices';
import { silentLogger, systemClock, seededRandom } from '@hawser/seams';
import {
  eventually,
  makeTempDir,
  within,
  type TempDir,
  freePort,
  GivenMosquitto,
  hasMosquitto,
} from '@hawser/seams/testing';
import { MqttBus } from '../src/bus/mqtt-bus.ts';
import { MqttSession } from '../src/bus/mqtt-session.ts';
import { MapperError } from '../src/errors.ts';
import { PushRouter } from '../src/push/push-router.ts';
import { boundDevice, TestBus } from '../testing/index.ts';

const SIGNAL = new AbortController().signal;

describe('a mapper and mosquitto', () => {
  let dir: TempDir;
  let broker: GivenMosquitto;

  before(function () {
    if (hasMosquitto()) return;
    console.log('      mosquitto is not there: left out');
    this.skip();
  });
  beforeEach(async () => {
    dir = await makeTempDir('hawser-mqtt-');
    broker = new GivenMosquitto(dir.path, await freePort());
  });
  afterEach(async () => {
    await broker.stop('SIGKILL');
    await dir.remove();
  });

  /** Sees and says everything. */
  const openWitness = async (): Promise<{ session: MqttSession; heard: Map<string, string[]> }> => {
    const heard = new Map<string, string[]>();
    const session = new MqttSession({ url: broker.url });
    await session.open((topic, payload) => {
      heard.set(topic, [...(heard.get(topic) ?? []), Buffer.from(payload).toString()]);
    }, SIGNAL);
    await session.subscribe(['#', '$hw/#', '$ke/#']);
    return { session, heard };
  };

  it('connects, hears and says, and comes back when the broker does', async () => {
    const events: string[] = [];
    const bus = new MqttBus({
      url: broker.url,
      name: 'm',
      secret: undefined,
      log: silentLogger,
      backoff: { baseMs: 20, capMs: 100 },
    });
    const listener = {
      onUp: () => void events.push('up'),
      onDown: () => void events.push('down'),
      onMessage: (topic: string, payload: Uint8Array) =>
        void events.push(`${topic} ${Buffer.from(payload).toString()}`),
    };
    // The broker is not there yet.
    bus.start(['a/+'], listener);
    bus.start(['a/+'], listener);
    await assert.rejects(bus.publish('b', '1'), { code: 'ERR_MAPPER_BUS_AWAY' });
    await broker.start();
    try {
      await eventually('it is up', () => events.includes('up'));
      const { session, heard } = await openWitness();
      await bus.publish('b', 'said', { retain: true });
      await eventually('it is said', () => heard.get('b')?.[0] === 'said');
      await session.publish('a/1', 'kept', { retain: true });
      await eventually('it is heard', () => events.includes('a/1 kept'));
      await session.close(true);
      await broker.stop('SIGKILL');
      await eventually('it is down', () => events.at(-1) === 'down');
      assert.equal(bus.connected, false);
      await broker.start();
      await eventually('it is up again', () => events.at(-1) === 'up');
      assert.deepEqual(events, ['up', 'a/1 kept', 'down', 'up']);
      await bus.publish('b', 'again');
    } finally {
      await within('the end', bus.stop());
    }
    assert.equal(events.at(-1), 'down');
  });

  it('is refused with a wrong secret, and goes on trying', async () => {
    const passwords = path.join(dir.path, 'passwords');
    // `right`, as `mosquitto_passwd -H sha512` makes it would need its program: nobody is in the file.
    await writeFile(passwords, '', { mode: 0o600 });
    await broker.start(['allow_anonymous false', `password_file ${passwords}`]);
    const reasons: unknown[] = [];
    const log = { ...silentLogger, warn: (fields: object) => void reasons.push(fields) };
    const session = new MqttSession({ url: broker.url, name: 'm', secret: 'wrong' });
    await assert.rejects(
      session.open(() => {}, SIGNAL),
      (error) => error instanceof MapperError && error.code === 'ERR_MAPPER_BUS_REFUSED',
    );
    await session.close(false);
    const bus = new MqttBus({
      url: broker.url,
      name: 'm',
      secret: 'wrong',
      log,
      backoff: { baseMs: 10, capMs: 20 },
    });
    bus.start([], { onUp: () => {}, onDown: () => {}, onMessage: () => {} });
    await eventually('an operator is told', () => reasons.length > 0);
    assert.doesNotMatch(JSON.stringify(reasons), /wrong/);
    await within('the end', bus.stop());
  });

  it('gives up a broker that accepts and says nothing', async () => {
    const sockets: { destroy(): void }[] = [];
    const deaf = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => deaf.listen(broker.port, '127.0.0.1', resolve));
    try {
      const session = new MqttSession({ url: broker.url, connectTimeoutMs: 200 });
      await within('the end of the attempt', assert.rejects(session.open(() => {}, SIGNAL)), 3_000);
      await session.close(false);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => deaf.close(resolve));
    }
  });

  it('leaves a broker that has said nothing yet as soon as it is stopped', async () => {
    const sockets: Socket[] = [];
    const deaf = createServer((socket) => void sockets.push(socket.resume()));
    await new Promise<void>((resolve) => deaf.listen(broker.port, '127.0.0.1', resolve));
    try {
      const bus = new MqttBus({ url: broker.url, name: 'm', secret: undefined, log: silentLogger });
      bus.start([], { onUp: () => {}, onDown: () => {}, onMessage: () => {} });
      await eventually('it connects', () => sockets.length === 1);
      const closed = new Promise((resolve) => sockets[0]?.once('close', resolve));
      await within('the end', bus.stop(), 1_000);
      await within('the end of its connection, which would keep its process', closed, 1_000);
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => deaf.close(resolve));
    }
  });

  it('pushes readings to another broker, also when it was away', async () => {
    let failures = 0;
    const router = new PushRouter({
      bus: new TestBus(),
      log: { ...silentLogger, warn: () => (failures += 1) },
      clock: systemClock,
      random: seededRandom(1),
      mapper: 'm',
    });
    const device = boundDevice({
      name: 'press',
      protocol: 'memory',
      properties: [
        {
          name: 'p',
          push: { mqtt: { address: `tcp://127.0.0.1:${broker.port}`, topic: 'plant/p', qos: 1 } },
        },
      ],
    });
    try {
      const [sink] = router.sinksOf(device);
      sink?.offer('1', 1_000);
      await eventually('it fails at first', () => failures === 1);
      await broker.start();
      const { session, heard } = await openWitness();
      await eventually('it arrives', () => heard.get('plant/p')?.length === 1);
      assert.equal((JSON.parse(heard.get('plant/p')?.[0] ?? '{}') as { value?: string }).value, '1');
      await session.close(true);
    } finally {
      await within('the end', router.stop());
    }
  });

  it('runs as a program: serves a device, hides its secret, and ends with SIGTERM', async () => {
    await broker.start();
    const { session, heard } = await openWitness();
    const program = path.join(import.meta.dirname, 'memory-mapper.js');
    const child = spawn(process.execPath, [program, '--log-level', 'debug'], {
      env: { HAWSER_BUS_URL: broker.url, HAWSER_MAPPER_NAME: 'mem', HAWSER_MAPPER_SECRET: 'very secret' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    try {
      const device = boundDevice({
        name: 'd',
        protocol: 'memory',
        config: { at: 'environment' },
        properties: [{ name: 'secret', type: 'STRING' }],
      });
      const told = { revision: revisionOf(device), device };
      await session.publish(mapperDeviceTopic('memory', 'devices', 'default', 'd'), JSON.stringify(told), {
        retain: true,
      });
      const topic = '$hw/events/device/default/d/twin/update';
      await eventually('a value is reported', () => heard.has(topic), { deadlineMs: 10_000 });
      const [update] = heard.get(topic) ?? [];
      const { twin } = JSON.parse(update ?? '{}') as { twin: Record<string, { actual: { value: string } }> };
      assert.equal(twin['secret']?.actual.value, 'not in the environment');
      assert.ok(heard.has('$hw/events/mapper/memory/heartbeat'));
      child.kill('SIGTERM');
      const code = await within('the end', new Promise((resolve) => child.once('exit', resolve)));
      assert.equal(code, 0, output);
      assert.doesNotMatch(output, /very secret/);
      assert.match(output, /"msg":"stopped"/);
    } finally {
      child.kill('SIGKILL');
      await session.close(true);
    }
  });
});
