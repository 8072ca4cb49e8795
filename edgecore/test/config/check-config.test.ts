import assert from 'node:assert/strict';
import { HEARTBEAT_MS } from '@hawser/proto';
import { checkConfig } from '../../src/config/check-config.ts';
import { HEARTBEAT_RANGE } from '../../src/config/heartbeat-range.ts';
import { optionRows } from '../../src/config/option.ts';
import { EDGE_OPTIONS, edgeConfig, type EdgeConfig } from '../../src/config/options.ts';

function config(yaml: string, overrides: Readonly<Record<string, string>> = {}): EdgeConfig {
  const checked = checkConfig({ yaml, overrides });
  assert.ok('config' in checked, 'problems' in checked ? checked.problems.join('; ') : '');
  return checked.config;
}

function problems(yaml: string, overrides: Readonly<Record<string, string>> = {}): readonly string[] {
  const checked = checkConfig({ yaml, overrides });
  assert.ok('problems' in checked, 'it was accepted');
  return checked.problems;
}

describe('configuration of the edge core', () => {
  it('has a default for everything', () => {
    assert.deepEqual(config(''), edgeConfig());
    assert.deepEqual(config('# nothing\n'), edgeConfig());
    assert.deepEqual(config('node:\nhub: {}\n'), edgeConfig());
    assert.deepEqual(checkConfig({ overrides: {} }), { config: edgeConfig() });
  });

  it('takes what the file says', () => {
    const read = config(`
node:
  labels: { site: north, example.com/rack: r-7 }
  taints:
    - { key: edge, effect: NoSchedule }
  maxPods: 20
reserved: { cpu: 500m, memory: 256Mi }
hub: { address: "hub.example:10443", transport: auto }
`);
    assert.deepEqual(read.node.labels, { site: 'north', 'example.com/rack': 'r-7' });
    assert.deepEqual(read.node.taints, [{ key: 'edge', effect: 'NoSchedule' }]);
    assert.equal(read.node.maxPods, 20);
    assert.equal(read.reserved.cpu, '500m');
    assert.equal(read.hub.transport, 'auto');
    assert.equal(read.hub.quicPort, 10_001);
  });

  it('puts the command line above the file', () => {
    const read = config('node: { maxPods: 20, name: a }', {
      'node.name': 'b',
      'node.labels': '{ x: y }',
      'hub.heartbeatMs': '5000',
    });
    assert.deepEqual([read.node.name, read.node.maxPods, read.hub.heartbeatMs], ['b', 20, 5000]);
    assert.deepEqual(read.node.labels, { x: 'y' });
  });

  it('takes no user and password in the address of a broker, which is told in logs', () => {
    const { eventBus } = config('eventBus: { url: "mqtts://broker.example:8883", user: edge }');
    assert.equal(eventBus.url, 'mqtts://broker.example:8883');
    for (const url of ['mqtt://edge:pass-1@broker:1883', 'mqtts://pass-1@broker']) {
      const [problem = '', ...more] = problems(`eventBus: { url: "${url}" }`);
      assert.match(problem, /^eventBus\.url: .*`eventBus\.user` and `eventBus\.passwordFile`/);
      assert.doesNotMatch(problem, /pass-1/);
      assert.deepEqual(more, []);
    }
  });

  it('tells all problems at once, each with its path', () => {
    const found = problems(
      `
node: { name: UPPER, maxPods: 0, labels: { "a/b/c": d, ok: "not ok!" }, colour: red }
reserved: { cpu: much }
hub: { address: "a:b:c", heartbeatMs: 10, transport: pigeon }
data: { dir: relative }
nodes: {}
`,
      { 'x.y': '1' },
    );
    const at = (path: string): string =>
      found.find((problem) => problem.startsWith(`${path}: `)) ?? found.join('\n');
    assert.match(at('x.y'), /no such option/);
    assert.match(at('node.name'), /lower-case DNS name/);
    assert.match(at('node.maxPods'), /whole number from 1 to 1000/);
    assert.match(at('node.labels.a/b/c'), /no key of a label/);
    assert.match(at('node.labels.ok'), /label value/);
    assert.match(at('node.colour'), /no such option/);
    assert.match(at('nodes'), /no such option/);
    assert.match(at('reserved.cpu'), /quantity/);
    assert.match(at('hub.address'), /host:port/);
    assert.match(at('hub.heartbeatMs'), /2000 to 300000/);
    assert.match(at('hub.transport'), /ws, quic, webtransport, auto/);
    assert.match(at('data.dir'), /absolute path/);
    assert.equal(found.length, 12);
  });

  it('refuses what is no YAML, and what is no map', () => {
    assert.match(problems('node: [').join(), /./);
    assert.match(problems('a: 1\na: 2').join(), /unique/);
    assert.match(problems('- a').join(), /the file: /);
    assert.match(problems('just text').join(), /the file: /);
    assert.match(problems('node: 7').join(), /^node: /);
    assert.match(problems('node: &a { labels: *a }').join(), /alias/i);
  });

  it('takes addresses of hubs in every form', () => {
    for (const address of [
      'hub',
      'hub.example:1',
      '192.0.2.1:10000',
      '[2001:db8::1]',
      '[2001:db8::1]:10000',
    ]) {
      assert.equal(config(`hub: { address: "${address}" }`).hub.address, address);
    }
    for (const address of ['2001:db8::1', 'https://hub', 'hub:', 'hub:x', 'a b']) {
      assert.equal(problems(`hub: { address: "${address}" }`).length, 1, address);
    }
  });

  it('knows the heartbeats that the tunnel knows', () => {
    assert.deepEqual(HEARTBEAT_RANGE, HEARTBEAT_MS);
  });

  it('says of every option what a reference page needs', () => {
    const rows = optionRows(EDGE_OPTIONS);
    assert.ok(rows.length >= 25);
    for (const row of rows) {
      assert.match(row.meaning, /^[A-Z`].*\.$/s, row.path);
      assert.notEqual(row.range, '', row.path);
    }
    assert.deepEqual(
      rows.find(({ path }) => path === 'node.maxPods'),
      {
        path: 'node.maxPods',
        default: '110',
        unit: 'pods',
        range: '1 to 1000',
        meaning: 'Pods that fit on the node.',
        flag: '',
      },
    );
    const names = rows.map(({ flag }) => flag).filter((flag) => flag !== '');
    assert.equal(new Set(names).size, names.length, 'no flag stands for two options');
  });
});
