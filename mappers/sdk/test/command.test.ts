import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { checkManifest } from '../src/command/check-manifest.ts';
import { parseCommandLine, usage } from '../src/command/command-line.ts';
import { newMapper } from '../src/command/new-mapper.ts';
import { schemaConfigMap } from '../src/command/schema-config-map.ts';
import { serveMetrics } from '../src/metrics/metrics-server.ts';
import { Mapper } from '../src/mapper.ts';
import { silentLogger } from '@hawser/seams';
import { TestBus } from '../testing/index.ts';
import { MemoryDriver } from './memory-driver.ts';

describe('the command line of a mapper', () => {
  let dir: TempDir;
  before(async () => {
    dir = await makeTempDir();
  });
  after(() => dir.remove());

  it('has defaults', () => {
    assert.deepEqual(parseCommandLine([], {}, 'modbus'), {
      do: 'run',
      url: 'mqtt://127.0.0.1:1883',
      name: 'modbus',
      secret: undefined,
      logLevel: 'info',
      metricsListen: undefined,
    });
  });

  it('takes the environment, whose secret it takes out, and the line before it', async () => {
    const env = {
      HAWSER_BUS_URL: 'mqtt://10.0.0.1:1884',
      HAWSER_MAPPER_NAME: 'by-env',
      HAWSER_MAPPER_SECRET: 's3cret',
      HAWSER_MAPPER_LOG_LEVEL: 'debug',
    };
    assert.deepEqual(parseCommandLine([], env, 'modbus'), {
      do: 'run',
      url: 'mqtt://10.0.0.1:1884',
      name: 'by-env',
      secret: 's3cret',
      logLevel: 'debug',
      metricsListen: undefined,
    });
    assert.ok(!('HAWSER_MAPPER_SECRET' in env));
    const file = path.join(dir.path, 'secret');
    await writeFile(file, 'of-file\n');
    const args = ['--bus', 'mqtts://bus:8883', '--name', 'n', '--secret-file', file, '--log-level', 'error'];
    assert.deepEqual(parseCommandLine([...args, '--metrics-listen', ':9464'], env, 'modbus'), {
      do: 'run',
      url: 'mqtts://bus:8883',
      name: 'n',
      secret: 'of-file',
      logLevel: 'error',
      metricsListen: { host: '0.0.0.0', port: 9464 },
    });
  });

  it('says what is wrong', async () => {
    const empty = path.join(dir.path, 'empty');
    await writeFile(empty, '\n');
    const cases: [string[], RegExp][] = [
      [['--bogus'], /--bogus/],
      [['extra'], /extra/],
      [['--bus', '127.0.0.1:1883'], /--bus 127.0.0.1:1883: it has to be an address as mqtt:/],
      [['--log-level', 'loud'], /error, warn, info, debug/],
      [['--metrics-listen', 'nowhere'], /127.0.0.1:9464/],
      [['--metrics-listen', ':99999'], /127.0.0.1:9464/],
      [['--secret-file', path.join(dir.path, 'none')], /ENOENT/],
      [['--secret-file', empty], /one line/],
    ];
    for (const [args, message] of cases) {
      assert.throws(() => parseCommandLine(args, {}, 'modbus'), { code: 'ERR_MAPPER_COMMAND_LINE', message });
    }
  });

  it('lists each of its options in its help', () => {
    const text = usage('hawser-mapper-modbus', 'modbus');
    for (const option of [
      'bus',
      'name',
      'secret-file',
      'log-level',
      'metrics-listen',
      'check',
      'schemas',
      'version',
      'help',
    ]) {
      assert.match(text, new RegExp(`^ {2}--${option} `, 'm'));
    }
  });

  it('ends with 2 where the line is wrong, and with 0 or 1 after a check', async () => {
    const program = path.join(import.meta.dirname, 'memory-mapper.js');
    const run = (...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
      new Promise((resolve) => {
        execFile(process.execPath, [program, ...args], { env: {} }, (error, stdout, stderr) =>
          resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
        );
      });
    const wrong = await run('--bogus');
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^memory-mapper: .*--bogus/);
    const schemas = await run('--schemas');
    const { protocol, schemas: own } = new MemoryDriver();
    assert.deepEqual(JSON.parse(schemas.stdout), schemaConfigMap(protocol, own));
    const missing = await run('--check', path.join(dir.path, 'none.yaml'));
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /none.yaml: ENOENT/);
  });
});

describe('the check of a manifest', () => {
  let dir: TempDir;
  before(async () => {
    dir = await makeTempDir();
  });
  after(() => dir.remove());

  const check = async (text: string): Promise<{ lines: readonly string[]; ok: boolean }> => {
    const file = path.join(dir.path, 'manifest.yaml');
    await writeFile(file, text);
    return checkManifest(new MemoryDriver(), file);
  };
  const model = `
apiVersion: devices.kubeedge.io/v1beta1
kind: DeviceModel
metadata: { name: m }
spec: { protocol: memory, properties: [{ name: level, type: INT }] }
---
`;
  const device = (config: string, more = ''): string => `${model}
apiVersion: devices.kubeedge.io/v1beta1
kind: Device
metadata: { name: d }
spec:
  deviceModelRef: { name: m }
  nodeName: n
  protocol: { protocolName: memory, configData: ${config} }
  properties: [{ name: level${more} }]
`;

  it('finds nothing wrong with what is right', async () => {
    assert.deepEqual(await check(device('{ at: here }')), {
      lines: ['Device default/d: valid, 1 property'],
      ok: true,
    });
  });

  it('finds what the edge core, the schemas and the driver find', async () => {
    for (const [text, expected] of [
      [device('{ at: here }', ', collectCycle: 3'), /\/spec\/properties\/0\/collectCycle must be >= 10/],
      [device('{}'), /\/spec\/protocol\/configData.*at/],
      [device('{ at: nowhere }'), /\/spec\/protocol\/configData\/at is nowhere/],
      [
        device('{ at: here }').replace('name: m }\n  nodeName', 'name: x }\n  nodeName'),
        /DeviceModel default\/x is not there/,
      ],
    ] as const) {
      const { lines, ok } = await check(text);
      assert.equal(ok, false);
      assert.match(lines.join('\n'), expected);
    }
  });

  it('passes over devices of other protocols, and says so where there is none', async () => {
    const other = device('{ at: here }').replaceAll('memory', 'modbus');
    assert.deepEqual(await check(other), {
      lines: ['Device default/d: speaks modbus: passed over'],
      ok: true,
    });
    for (const [text, message] of [
      ['', /empty/],
      [model, /no Device/],
      ['a: [', /manifest.yaml/],
    ] as const) {
      await assert.rejects(check(text), { code: 'ERR_MAPPER_MANIFEST', message });
    }
  });
});

describe('a new mapper', () => {
  let dir: TempDir;
  beforeEach(async () => {
    dir = await makeTempDir();
  });
  afterEach(() => dir.remove());

  it('is the template, under its name', async () => {
    const target = path.join(dir.path, 'made', 'here');
    const files = await newMapper({ name: 'can-bus', dir: target, from: undefined });
    assert.ok(files.includes('src/driver.ts') && files.includes('can-bus.mapper.yaml'));
    for (const file of files) {
      const text = await readFile(path.join(target, file), 'utf8');
      assert.doesNotMatch(text, /my-protocol|MyProtocol/, file);
    }
    const manifest = JSON.parse(await readFile(path.join(target, 'package.json'), 'utf8')) as {
      name: string;
      dependencies: object;
    };
    assert.equal(manifest.name, 'hawser-mapper-can-bus');
    assert.deepEqual(manifest.dependencies, { '@hawser/mapper-sdk': '0.1.0' });
    assert.match(await readFile(path.join(target, 'src/driver.ts'), 'utf8'), /class CanBusConnection/);
  });

  it('is not made where something is, nor under a name that is none', async () => {
    await writeFile(path.join(dir.path, 'mine'), 'x');
    await assert.rejects(newMapper({ name: 'a', dir: dir.path, from: undefined }), {
      code: 'ERR_MAPPER_TEMPLATE',
      message: /not empty/,
    });
    for (const name of ['A', 'a_b', '-a', '', 'a'.repeat(41), '../a']) {
      await assert.rejects(newMapper({ name, dir: path.join(dir.path, 'x'), from: undefined }), {
        code: 'ERR_MAPPER_TEMPLATE',
      });
    }
  });
});

describe('metrics of a mapper', () => {
  it('are served as Prometheus has them, and nothing else is', async () => {
    const mapper = new Mapper(new MemoryDriver(), { name: 'm', bus: new TestBus() });
    mapper.stats.polls = 12;
    const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, mapper, silentLogger);
    try {
      const get = (at: string): Promise<Response> => fetch(`http://127.0.0.1:${server.port}${at}`);
      const answer = await get('/metrics');
      assert.equal(answer.status, 200);
      const text = await answer.text();
      assert.match(text, /^hawser_mapper_polls_total 12$/m);
      assert.match(text, /^hawser_mapper_connections\{state="open"\} 0$/m);
      assert.match(text, /^hawser_mapper_bus_connected 0$/m);
      assert.equal((await get('/')).status, 404);
    } finally {
      await server.close();
      await mapper.stop();
    }
  });
});
