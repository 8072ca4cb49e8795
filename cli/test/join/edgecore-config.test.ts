import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { parse } from 'yaml';
import {
  planEdgeConfig,
  writeEdgeConfig,
  type EdgeSettings,
  type PlannedConfig,
} from '../../src/join/edgecore-config.ts';

const SETTINGS: EdgeSettings = {
  hub: { host: 'hub.example.org', port: 10_000 },
  transport: undefined,
  labels: {},
  runtimeEndpoint: undefined,
  dataDir: '/var/lib/hawser/edge',
  socket: '/run/hawser/edgecore.sock',
};

describe('the configuration that a join writes', function () {
  this.timeout(20_000); // each check is a process of its own

  let dir: TempDir;
  let file: string;
  beforeEach(async () => {
    dir = await makeTempDir();
    file = path.join(dir.path, 'etc', 'edgecore.yaml');
  });
  afterEach(() => dir.remove());

  function plan(settings: Partial<EdgeSettings> = {}): Promise<PlannedConfig> {
    return planEdgeConfig(file, { ...SETTINGS, ...settings }, dir.path);
  }

  it('says what differs from the defaults, and no more', async () => {
    const planned = await plan();
    assert.equal(planned.result, 'created');
    assert.deepEqual(parse(planned.text), { hub: { address: 'hub.example.org:10000' } });
    const all = await plan({
      runtimeEndpoint: 'unix:///run/crio/crio.sock',
      transport: 'auto',
      labels: { zone: 'a', 'example.org/till': '2' },
      dataDir: '/data',
      socket: '/s.sock',
    });
    assert.deepEqual(parse(all.text), {
      hub: { address: 'hub.example.org:10000', transport: 'auto' },
      data: { dir: '/data' },
      admin: { socket: '/s.sock' },
      node: { labels: { zone: 'a', 'example.org/till': '2' } },
      pods: { runtimeEndpoint: 'unix:///run/crio/crio.sock' },
    });
  });

  it('has another runtime, and logs where its user can write them', async () => {
    const { pods } = parse((await plan({ runtime: 'process', dataDir: '/data' })).text) as { pods: object };
    const isRoot = process.geteuid?.() === 0;
    assert.deepEqual(pods, { runtime: 'process', ...(!isRoot && { logDir: '/data/logs' }) });
  });

  it('is written with its folder, and is found unchanged afterwards', async () => {
    await writeEdgeConfig(await plan());
    assert.match(await readFile(file, 'utf8'), /^# Configuration of edgecore/);
    assert.equal((await plan()).result, 'unchanged');
    assert.deepEqual(await readdir(path.dirname(file)), ['edgecore.yaml']);
  });

  it('keeps comments and settings of others', async () => {
    await writeEdgeConfig(await plan());
    const edited = `${await readFile(file, 'utf8')}# mine\nnode:\n  maxPods: 20 # small\nlog:\n`;
    await writeFile(file, edited);
    const planned = await plan({ hub: { host: '::1', port: 7 }, labels: { zone: 'b' } });
    assert.equal(planned.result, 'updated');
    assert.match(planned.text, /# mine/);
    assert.match(planned.text, /maxPods: 20 # small/);
    assert.deepEqual(parse(planned.text), {
      hub: { address: '[::1]:7' },
      node: { maxPods: 20, labels: { zone: 'b' } },
      log: null,
    });
  });

  it('fills a section that is there and empty', async () => {
    await writeEdgeConfig(await plan());
    await writeFile(file, 'hub:\nnode:\n  labels:\n');
    assert.deepEqual(parse((await plan({ labels: { a: 'b' } })).text), {
      hub: { address: 'hub.example.org:10000' },
      node: { labels: { a: 'b' } },
    });
  });

  it('refuses what edgecore would not take, before anything is written', async () => {
    await assert.rejects(plan({ labels: { 'no key': 'x' } }), {
      code: 'ERR_EDGECORE_CONFIG',
      message: /no key/,
    });
    await assert.rejects(plan({ labels: { zone: 'not a value' } }), { code: 'ERR_EDGECORE_CONFIG' });
    assert.deepEqual(await readdir(dir.path), []);
  });

  it('refuses a file that is no YAML, and leaves it', async () => {
    await writeEdgeConfig(await plan());
    await writeFile(file, 'hub: [');
    await assert.rejects(plan(), { code: 'ERR_CLI_CONFIG', message: /is no YAML/ });
    assert.equal(await readFile(file, 'utf8'), 'hub: [');
  });
});
