import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import type { DeviceView, MapperRows } from '@hawser/edgecore/admin';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { hawser, json, type Run } from '../hawser.ts';

const NOW_MS = Date.now();

function pump(settled?: { ok: boolean; message?: string }): DeviceView {
  return {
    ...{
      namespace: 'default',
      name: 'pump-1',
      protocol: 'modbus',
      state: 'online',
      lastOnlineMs: NOW_MS - 5_000,
    },
    twins: [
      {
        ...{ property: 'speed', type: 'INT', writable: true, unit: 'rpm' },
        reported: { value: '900', atMs: NOW_MS - 5_000 },
        expected: {
          ...{ value: '1200', version: 'v1', from: 'edge' as const },
          ...(settled && { settled: { ...settled, atMs: NOW_MS } }),
        },
      },
      { property: 'serial', type: 'STRING', writable: false },
    ],
    problems: [],
  };
}

describe('hawser and devices', () => {
  let dir: TempDir;
  let server: Server;
  let asked: string[];
  let answers: Record<string, unknown>;

  beforeEach(async () => {
    dir = await makeTempDir();
    asked = [];
    answers = {};
    server = createServer((request, response) => {
      void (async () => {
        const what = `${request.method ?? ''} ${request.url ?? ''}`;
        asked.push(`${what} ${await text(request)}`.trim());
        response.setHeader('connection', 'close');
        const missing = {
          error: { code: 'ERR_EDGECORE_ADMIN', message: 'device "x" not found at this node' },
        };
        const answer = answers[what];
        response.writeHead(answer === undefined ? 404 : 200).end(`${JSON.stringify(answer ?? missing)}\n`);
      })();
    });
    await new Promise<void>((resolve) => server.listen(path.join(dir.path, 'edge.sock'), resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await dir.remove();
  });

  const run = (...args: string[]): Promise<Run> =>
    hawser([...args, '--socket', path.join(dir.path, 'edge.sock'), '--config-dir', dir.path]);

  it('lists them', async () => {
    const broken = {
      ...{ ...pump(), namespace: 'plant', name: 'valve', state: 'unknown' as const, twins: [] },
      problems: [{ path: '/spec/deviceModelRef', message: 'there is no model valve', remedy: 'Create it.' }],
    };
    answers['GET /v1/devices'] = { items: [broken, pump()] };
    const some = await run('devices');
    assert.match(
      some.stdout,
      /^NAME +PROTOCOL +STATE +LAST ONLINE +PROPERTIES +PROBLEM\npump-1 +modbus +online +\d+s +2$/m,
    );
    assert.doesNotMatch(some.stdout, /valve/);
    const all = await run('devices', '-A');
    assert.match(
      all.stdout,
      /^NAMESPACE.*\ndefault +pump-1.*\nplant +valve +modbus +unknown .* there is no model valve$/m,
    );
    assert.match(
      (await run('devices', '-n', 'none')).stdout,
      /no devices in namespace none; with -A: 2 devices/,
    );
    assert.equal((json(await run('devices', '-o', 'json')) as { items: unknown[] }).items.length, 1);
    answers['GET /v1/devices'] = { items: [] };
    assert.equal((await run('devices')).stdout, 'The node has no devices.\n');
  });

  it('shows one, or a value alone', async () => {
    answers['GET /v1/devices/default/pump-1'] = pump({
      ok: false,
      message: 'exception 3, illegal data value',
    });
    const { stdout } = await run('device', 'get', 'pump-1');
    assert.match(stdout, /^Device: +default\/pump-1$/m);
    assert.match(stdout, /^speed +900 +rpm +\d+s +1200 +no: exception 3, illegal data value$/m);
    assert.match(stdout, /^serial +<none> +<never> +<read-only>$/m);
    assert.equal((await run('device', 'get', 'pump-1', 'speed')).stdout, '900\n');
    const silent = await run('device', 'get', 'pump-1', 'serial');
    assert.equal(silent.code, 1);
    assert.match(silent.stderr, /pump-1 has not reported serial yet; the device is online/);
    const none = await run('device', 'get', 'pump-1', 'temperature');
    assert.match(none.stderr, /has no property temperature[^]*It has: speed, serial/);
    assert.equal((await run('device', 'get', 'x')).code, 1);
  });

  it('has values read now', async () => {
    answers['GET /v1/devices/default/pump-1?read=1&property=speed'] = { values: { speed: '901' } };
    assert.equal((await run('device', 'get', 'pump-1', 'speed', '--fresh')).stdout, '901\n');
  });

  it('sets values, and says what became of them', async () => {
    answers['POST /v1/devices/default/pump-1'] = pump();
    answers['GET /v1/devices/default/pump-1'] = pump({ ok: true });
    const done = await run('device', 'set', 'pump-1', 'speed=1200');
    assert.equal(done.stdout, 'speed=1200: set\n');
    assert.equal(done.code, 0);
    assert.equal(asked[0], 'POST /v1/devices/default/pump-1 {"values":{"speed":"1200"}}');
    answers['POST /v1/devices/default/pump-1'] = pump({ ok: false, message: 'the device does not answer' });
    const failed = await run('device', 'set', 'pump-1', 'speed=1200');
    assert.equal(failed.stdout, 'speed=1200: not set: the device does not answer\n');
    assert.equal(failed.code, 3);
    answers['POST /v1/devices/default/pump-1'] = pump();
    const kept = await run('device', 'set', 'pump-1', 'speed=1200', '--wait', '0');
    assert.match(kept.stdout, /speed=1200: kept; the mapper has not said yet/);
    assert.equal(kept.code, 0);
  });

  it('takes values with anything in them, and nothing that is no setting', async () => {
    answers['POST /v1/devices/default/pump-1'] = pump({ ok: true });
    await run('device', 'set', 'pump-1', 'speed=a=b "c" {}', '--wait', '0');
    assert.equal(asked[0], 'POST /v1/devices/default/pump-1 {"values":{"speed":"a=b \\"c\\" {}"}}');
    for (const wrong of ['speed', '=5']) {
      const refused = await run('device', 'set', 'pump-1', wrong);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /is not property=value/);
    }
  });

  it('watches until the device is gone', async () => {
    answers['GET /v1/devices/default/pump-1?watch=1'] = pump();
    const { stdout, stderr } = await run('device', 'watch', 'pump-1');
    assert.match(stdout, /speed +900/);
    assert.match(stderr, /not a device of this node any more/);
  });

  it('lists mappers, and what is wrong with definitions', async () => {
    const rows: MapperRows = {
      items: [
        {
          ...{ name: 'modbus', protocols: ['modbus'], mode: 'run', state: 'waiting', restarts: 4 },
          ...{ lastEnd: 'exit 1: no such line', lastHeartbeatMs: NOW_MS - 9_000, secretFile: '/s' },
        },
      ],
      problems: [{ file: '/etc/hawser/mappers.d/ble.yaml', problems: ['protocol is not known'] }],
    };
    answers['GET /v1/mappers'] = rows;
    const { stdout, code } = await run('mappers');
    assert.match(stdout, /^modbus +modbus +edgecore +waiting +\d+s +4 +exit 1: no such line$/m);
    assert.match(stdout, /^! \/etc\/hawser\/mappers\.d\/ble\.yaml: protocol is not known$/m);
    assert.equal(code, 3);
    answers['GET /v1/mappers'] = { items: [], problems: [] };
    assert.match((await run('mappers')).stdout, /The node has no mappers/);
  });
});
