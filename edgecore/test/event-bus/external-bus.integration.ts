import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import {
  eventually,
  makeTempDir,
  scaled,
  type TempDir,
  GivenMosquitto,
  hasMosquitto,
  runMosquitto,
} from '@hawser/seams/testing';
import { connected, givenBus, mqttClient, type GivenBus } from './given-bus.ts';

/** Back-off without waiting. */
const random = { next: () => 0.05 };

describe('external broker (mosquitto)', () => {
  let dir: TempDir;
  let mosquitto: GivenMosquitto;
  let given: GivenBus | undefined;
  before(async function () {
    if (!hasMosquitto()) {
      console.log('      skipped: mosquitto and mosquitto-clients are not installed');
      this.skip();
    }
    dir = await makeTempDir();
    mosquitto = await GivenMosquitto.start(dir.path);
  });
  afterEach(async () => {
    await given?.end();
    given = undefined;
  });
  after(async () => {
    await mosquitto.stop();
    await dir.remove();
  });

  const start = async (mode: 'external' | 'both', more: object = {}): Promise<GivenBus> => {
    given = await givenBus(path.join(dir.path, 'bus'), { mode, url: mosquitto.url, ...more }, { random });
    const { bus } = given;
    await eventually('the external broker', () => bus.status().connected);
    return given;
  };

  it('takes messages both ways, acknowledged when handlers are done', async () => {
    const { bus } = await start('external');
    const heard: string[] = [];
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    bus.subscribe('in/+', async ({ topic, payload, client }) => {
      assert.equal(client, undefined);
      await gate;
      heard.push(`${topic} ${Buffer.from(payload).toString()}`);
    });
    await eventually('the subscription', async () => {
      await runMosquitto('mosquitto_pub', mosquitto.url, ['-t', 'in/probe', '-m', 'x']);
      return bus.counters.received > 0;
    });
    const published = runMosquitto('mosquitto_pub', mosquitto.url, ['-t', 'in/1', '-m', 'one', '-q', '1']);
    assert.equal((await published).code, 0);
    assert.equal(heard.length, 0);
    release();
    await eventually('it was handled', () => heard.includes('in/1 one'));
    const listening = runMosquitto('mosquitto_sub', mosquitto.url, [
      '-t',
      'out/#',
      '-C',
      '2',
      '-W',
      '5',
      '-v',
    ]);
    await bus.publish('out/kept', 'k', { retain: true });
    await bus.publish('out/kept2', 'k2', { retain: true });
    assert.deepEqual((await listening).lines, ['out/kept k', 'out/kept2 k2']);
  });

  it('keeps the latest of each retained topic and 1,000 others while the broker is away, and counts the rest', async () => {
    const { bus } = await start('external');
    await mosquitto.stop();
    await eventually('it is away', () => !bus.status().connected);
    const before = bus.counters.dropped.get('outgoing') ?? 0;
    const waits: Promise<void>[] = [];
    for (let n = 0; n < 50; n += 1) waits.push(bus.publish('kept/1', `${n}`, { retain: true }));
    for (let n = 0; n < 1100; n += 1) waits.push(bus.publish('others/n', `${n}`));
    assert.equal(bus.status().queued, 1001);
    assert.equal((bus.counters.dropped.get('outgoing') ?? 0) - before, 100);
    await mosquitto.start();
    await Promise.all(waits);
    const kept = await runMosquitto('mosquitto_sub', mosquitto.url, ['-t', 'kept/1', '-C', '1', '-W', '5']);
    assert.deepEqual(kept.lines, ['49']);
  });

  it('loses no QoS 1 when the broker is restarted, or killed and started again', async () => {
    const { bus } = await start('external');
    const heard = new Set<string>();
    bus.subscribe('numbers', ({ payload }) => void heard.add(Buffer.from(payload).toString()));
    await eventually('the subscription', async () => {
      await runMosquitto('mosquitto_pub', mosquitto.url, ['-t', 'numbers', '-m', 'probe']);
      return heard.has('probe');
    });
    const acknowledged: string[] = [];
    for (let round = 0; round < scaled(2, 10); round += 1) {
      const publisher = mqttClient(mosquitto.url, 'any');
      publisher.on('error', () => undefined);
      await connected(publisher);
      for (let n = 0; n < 100; n += 1) {
        const text = `${round}-${n}`;
        await publisher.publishAsync('numbers', text, { qos: 1 });
        acknowledged.push(text);
      }
      await publisher.endAsync(true);
      // mosquitto writes what it has when it is told to end; killed, it has what was delivered by then.
      if (round % 2 === 1)
        await eventually('all are here', () => acknowledged.every((text) => heard.has(text)));
      await mosquitto.stop(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      await mosquitto.start();
    }
    await eventually('all that it acknowledged', () => acknowledged.every((text) => heard.has(text)));
    // The other way: what we publish over a kill arrives.
    const sub = mqttClient(mosquitto.url, 'any', { clientId: 'listener', clean: false, reconnectPeriod: 50 });
    const arrived = new Set<string>();
    sub.on('message', (_topic, payload) => arrived.add(payload.toString()));
    sub.on('error', () => undefined);
    await connected(sub);
    await sub.subscribeAsync('answers', { qos: 1 });
    const waits = Array.from({ length: 200 }, (_, n) => bus.publish('answers', `${n}`));
    await mosquitto.stop('SIGTERM');
    await mosquitto.start();
    await Promise.all(waits);
    await eventually('all answers', () => arrived.size === 200);
    await sub.endAsync(true);
  });

  it('collects in its session while the edge core is down', async () => {
    const first = await start('external');
    const heard: string[] = [];
    first.bus.subscribe('while/away', ({ payload }) => void heard.push(Buffer.from(payload).toString()));
    await eventually('the subscription', async () => {
      await runMosquitto('mosquitto_pub', mosquitto.url, ['-t', 'while/away', '-m', 'probe', '-q', '1']);
      return heard.length > 0;
    });
    await first.end();
    await runMosquitto('mosquitto_pub', mosquitto.url, ['-t', 'while/away', '-m', 'later', '-q', '1']);
    const { openEventBus } = await import('../../src/event-bus/open-event-bus.ts');
    const { edgeConfig } = await import('../../src/config/options.ts');
    const bus = await openEventBus({
      config: edgeConfig({ eventBus: { mode: 'external', url: mosquitto.url } }).eventBus,
      node: 'edge-1',
      dir: dir.path,
      credentials: () => undefined,
      devices: { protocolOf: () => undefined, protocolsNamed: () => [] },
    });
    bus.subscribe('while/away', ({ payload }) => void heard.push(Buffer.from(payload).toString()));
    await bus.start();
    await eventually('what came meanwhile', () => heard.includes('later'));
    await bus.stop();
  });

  it('acknowledges to the broker when handlers are done, and not before', async () => {
    const first = await start('external');
    let begun = 0;
    first.bus.subscribe('held', () => {
      begun += 1;
      return new Promise<void>(() => undefined); // and it is stopped meanwhile
    });
    await eventually('the subscription', async () => {
      await runMosquitto('mosquitto_pub', mosquitto.url, ['-t', 'held', '-m', 'x', '-q', '1']);
      return begun > 0;
    });
    await first.end();
    const again: string[] = [];
    given = await givenBus(dir.path, { mode: 'external', url: mosquitto.url }, { random });
    given.bus.subscribe('held', ({ payload }) => void again.push(Buffer.from(payload).toString()));
    await eventually('it comes again', () => again.includes('x'));
  });

  it('says why a broker cannot be used, and goes on when it can', async () => {
    const lines: { code: unknown; message: string }[] = [];
    const log = {
      error: () => undefined,
      warn: (fields: Readonly<Record<string, unknown>>, message: string) =>
        void lines.push({ code: fields['code'], message }),
      info: () => undefined,
      debug: () => undefined,
      child: () => log,
    };
    const other = await makeTempDir();
    writeFileSync(path.join(other.path, 'passwords'), '');
    await runPasswd(path.join(other.path, 'passwords'), 'edge', 'right');
    const strict = await GivenMosquitto.start(other.path, [
      'allow_anonymous false',
      `password_file ${path.join(other.path, 'passwords')}`,
    ]);
    const secret = path.join(other.path, 'secret');
    const bus = await givenBus(
      dir.path,
      { mode: 'external', url: strict.url, user: 'edge', passwordFile: secret },
      { random, log },
    );
    await eventually('the missing file', () => lines.some(({ code }) => code === 'ERR_EDGECORE_BUS_FILE'));
    writeFileSync(secret, 'wrong\n');
    await eventually('the refusal', () => lines.some(({ code }) => code === 'ERR_EDGECORE_BUS_DENIED'));
    writeFileSync(secret, 'right\n');
    await eventually('the connection', () => bus.bus.status().connected);
    await strict.stop();
    await eventually('the loss', () => lines.some(({ code }) => code === 'ERR_EDGECORE_BUS_BROKER'), {
      deadlineMs: 10_000,
    });
    await bus.end();
    await other.remove();
  });

  it('is spoken to in MQTT 3.1.1 where it does not know 5', async () => {
    const folder = await makeTempDir();
    const account = { name: 'hawser-edge-1', protocols: new Set<string>(), messagesPerSecond: 1000 };
    const topics = { publish: ['#'], subscribe: ['#'] };
    const old = await givenBus(folder.path, {}, { credentials: () => ({ ...account, topics }) });
    const secret = path.join(folder.path, 'secret');
    writeFileSync(secret, 'any');
    const address = { url: old.bus.url, user: 'hawser-edge-1', passwordFile: secret };
    const { bus, end } = await givenBus(dir.path, { mode: 'external', ...address }, { random });
    const heard: string[] = [];
    bus.subscribe('old/1', ({ payload }) => void heard.push(Buffer.from(payload).toString()));
    await eventually('the connection', () => bus.status().connected, { deadlineMs: 10_000 });
    await eventually('a message', async () => {
      await old.bus.publish('old/1', 'x');
      return heard.includes('x');
    });
    await end();
    await old.end();
    await folder.remove();
  });

  it('is used over TLS, with a certificate of one’s own, and not where its name is another', async function () {
    const folder = await makeTempDir();
    const at = (name: string): string => path.join(folder.path, name);
    if (!makeCertificates(folder.path)) {
      console.log('      skipped: openssl is not installed');
      this.skip();
    }
    const secure = await GivenMosquitto.start(folder.path, [
      `cafile ${at('ca.pem')}`,
      `certfile ${at('server.pem')}`,
      `keyfile ${at('server.key')}`,
      'require_certificate true',
      'use_identity_as_username true',
    ]);
    const files = { caFile: at('ca.pem'), certFile: at('client.pem'), keyFile: at('client.key') };
    const url = `mqtts://localhost:${secure.port}`;
    const good = await givenBus(dir.path, { mode: 'external', url, ...files }, { random });
    await eventually('the connection', () => good.bus.status().connected);
    assert.equal(good.bus.status().failure, undefined);
    await good.bus.publish('tls/1', 'x');
    await good.end();
    for (const other of [
      { url: url.replace('localhost', '127.0.0.1') },
      { caFile: '' },
      { certFile: '', keyFile: '' },
    ]) {
      const codes: unknown[] = [];
      const log = {
        ...silentLogger,
        warn: (fields: Readonly<Record<string, unknown>>) => void codes.push(fields['code']),
      };
      const bad = await givenBus(dir.path, { mode: 'external', url, ...files, ...other }, { random, log });
      await eventually('the reason', () => codes.includes('ERR_EDGECORE_BUS_BROKER'));
      const { connected, failure } = bad.bus.status();
      assert.deepEqual([connected, failure?.code], [false, 'ERR_EDGECORE_BUS_BROKER']);
      await bad.end();
    }
    await secure.stop();
    await folder.remove();
  });

  describe('bridged', () => {
    it('takes what fits the filters both ways, once', async () => {
      const { bus, client } = await start('both', {
        bridgeIn: 'plant/#, shared/a',
        bridgeOut: 'app/#,shared/+',
      });
      const inside = await client('all');
      const heard: string[] = [];
      inside.on('message', (topic, payload) => heard.push(`in ${topic} ${payload.toString()}`));
      await inside.subscribeAsync(['plant/#', 'shared/#', 'app/#', 'other/#'], { qos: 1 });
      const outside = mqttClient(mosquitto.url, 'any');
      outside.on('message', (topic, payload) => heard.push(`out ${topic} ${payload.toString()}`));
      await connected(outside);
      await outside.subscribeAsync(['plant/#', 'shared/#', 'app/#', 'other/#'], { qos: 1 });
      await outside.publishAsync('plant/1', 'a', { qos: 1 });
      await inside.publishAsync('app/1', 'b', { qos: 1 });
      await inside.publishAsync('shared/a', 'c', { qos: 1 });
      await inside.publishAsync('other/1', 'd', { qos: 1 });
      await outside.publishAsync('other/2', 'e', { qos: 1 });
      await outside.publishAsync('shared/a', 'f', { qos: 1 });
      await eventually('all nine', () => heard.length >= 10);
      await inside.publishAsync('app/end', 'g', { qos: 1 });
      await eventually('the end', () => heard.includes('out app/end g'));
      assert.deepEqual(heard.toSorted(), [
        'in app/1 b',
        'in app/end g',
        'in other/1 d',
        'in plant/1 a',
        'in shared/a c',
        'in shared/a f',
        'out app/1 b',
        'out app/end g',
        'out other/2 e',
        'out plant/1 a',
        'out shared/a c',
        'out shared/a f',
      ]);
      await eventually('all is acknowledged', () => bus.status().queued === 0);
    });

    it('keeps what goes out while the other broker is away, over a restart of ours', async () => {
      const first = await start('both', { bridgeOut: 'app/#' });
      const outside = mqttClient(mosquitto.url, 'any', {
        clientId: 'far',
        clean: false,
        reconnectPeriod: 50,
      });
      outside.on('error', () => undefined);
      const heard: string[] = [];
      outside.on('message', (_topic, payload) => heard.push(payload.toString()));
      await connected(outside);
      await outside.subscribeAsync('app/#', { qos: 1 });
      await mosquitto.stop();
      const publisher = await first.client('app');
      for (let n = 0; n < 20; n += 1) await publisher.publishAsync('app/n', `${n}`, { qos: 1 });
      await first.end();
      given = await givenBus(
        path.join(dir.path, 'bus'),
        { mode: 'both', url: mosquitto.url, bridgeOut: 'app/#' },
        { random },
      );
      assert.equal(given.bus.status().queued, 20);
      await mosquitto.start();
      await eventually('all twenty', () => new Set(heard).size === 20, { deadlineMs: 10_000 });
      await eventually('nothing waits', () => given?.bus.status().queued === 0);
      await outside.endAsync(true);
    });
  });
});

async function runPasswd(file: string, user: string, password: string): Promise<void> {
  const { spawn } = await import('node:child_process');
  await once(spawn('mosquitto_passwd', ['-b', file, user, password], { stdio: 'ignore' }), 'close');
}

/** `ca.pem`, and `server` and `client` with `.pem` and `.key`. @returns false where there is no openssl */
function makeCertificates(folder: string): boolean {
  const run = (line: string): boolean =>
    spawnSync('openssl', line.split(' '), { cwd: folder, stdio: 'ignore' }).status === 0;
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
  if (!run(`req -x509 ${key} -keyout ca.key -out ca.pem -subj /CN=ca -days 2`)) return false;
  for (const [name, subject] of [
    ['server', 'localhost'],
    ['client', 'edge'],
  ] as const) {
    run(
      `req ${key} -keyout ${name}.key -out ${name}.csr -subj /CN=${subject} -addext subjectAltName=DNS:${subject}`,
    );
    run(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out ${name}.pem -days 2 -copy_extensions copy`,
    );
  }
  return true;
}
