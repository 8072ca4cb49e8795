import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { makeTempDir } from '@hawser/seams/testing';
import { podDns, type DnsSettings } from '../../src/containers/dns.ts';
import { HostDns } from '../../src/containers/host-dns.ts';
import { parseResolvConf, type DnsConfig } from '../../src/containers/resolv-conf.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';

const HOST: DnsConfig = { servers: ['192.0.2.1'], searches: ['example.com'], options: ['timeout:2'] };
const CLUSTER: DnsSettings = {
  clusterDns: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  host: HOST,
  hostIps: ['192.0.2.10'],
};
const NO_CLUSTER: DnsSettings = { ...CLUSTER, clusterDns: [] };
const OF_CLUSTER: DnsConfig = {
  servers: ['10.96.0.10'],
  searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'],
  options: ['ndots:5'],
};

function pod(spec: Partial<Pod['spec']>): Pod {
  return makePod('web', { uid: '7d1c', spec });
}

// Source of the expectations: kubelet, network/dns/dns_test.go TestGetPodDNS, TestGetPodDNSCustom; Kubernetes,
// "DNS for Services and Pods".
describe('podDns', () => {
  const cases: readonly (readonly [string, Partial<Pod['spec']>, DnsSettings, DnsConfig])[] = [
    ['nothing said', {}, CLUSTER, OF_CLUSTER],
    ['ClusterFirst', { dnsPolicy: 'ClusterFirst' }, CLUSTER, OF_CLUSTER],
    ['ClusterFirst on the host’s network', { dnsPolicy: 'ClusterFirst', hostNetwork: true }, CLUSTER, HOST],
    [
      'ClusterFirstWithHostNet',
      { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
      CLUSTER,
      OF_CLUSTER,
    ],
    ['Default', { dnsPolicy: 'Default' }, CLUSTER, HOST],
    ['None', { dnsPolicy: 'None' }, CLUSTER, { servers: [], searches: [], options: [] }],
    ['ClusterFirst without the cluster’s', { dnsPolicy: 'ClusterFirst' }, NO_CLUSTER, HOST],
    [
      'ClusterFirst without a domain',
      {},
      { ...CLUSTER, clusterDomain: '' },
      { ...OF_CLUSTER, searches: ['example.com'] },
    ],
    [
      'Default without anything of the host',
      { dnsPolicy: 'Default' },
      { ...CLUSTER, host: undefined, hostIps: ['192.0.2.10', '2001:db8::1'] },
      { servers: ['127.0.0.1', '::1'], searches: ['.'], options: [] },
    ],
    [
      'None with one of its own',
      {
        dnsPolicy: 'None',
        dnsConfig: { nameservers: ['192.0.2.53'], searches: ['a.test'], options: [{ name: 'edns0' }] },
      },
      CLUSTER,
      { servers: ['192.0.2.53'], searches: ['a.test'], options: ['edns0'] },
    ],
    [
      'ClusterFirst with more of its own',
      {
        dnsConfig: {
          nameservers: ['192.0.2.53', '10.96.0.10'],
          searches: ['a.test', 'cluster.local'],
          options: [{ name: 'ndots', value: '3' }, { name: 'debug' }],
        },
      },
      CLUSTER,
      {
        servers: ['10.96.0.10', '192.0.2.53'],
        searches: [...OF_CLUSTER.searches, 'a.test'],
        options: ['ndots:3', 'debug'],
      },
    ],
  ];
  for (const [what, spec, settings, expected] of cases) {
    it(what, () => assert.deepEqual(podDns(pod(spec), settings).dns, expected));
  }

  it('warns of a policy that the node cannot follow', () => {
    assert.deepEqual(podDns(pod({}), NO_CLUSTER).warnings, [
      {
        reason: 'MissingClusterDNS',
        message:
          'pod: "web_default(7d1c)". kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
      },
    ]);
    assert.deepEqual(podDns(pod({}), CLUSTER).warnings, []);
  });

  it('keeps to three servers, and warns', () => {
    const nameservers = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'];
    const { dns, warnings } = podDns(pod({ dnsPolicy: 'None', dnsConfig: { nameservers } }), CLUSTER);
    assert.deepEqual(dns.servers, nameservers.slice(0, 3));
    assert.deepEqual(warnings, [
      {
        reason: 'DNSConfigForming',
        message:
          'Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.1 192.0.2.2 192.0.2.3',
      },
    ]);
  });

  const label = 'x'.repeat(60);
  const long = (count: number): string[] => Array.from({ length: count }, (_, index) => `${label}.${index}`);
  const tooMany: readonly (readonly [string, readonly string[], number])[] = [
    ['32 search paths', Array.from({ length: 33 }, (_, index) => `s${index}.test`), 32],
    ['2048 characters', long(32), 32],
    ['2048 characters, of longer ones', long(32).map((text) => `${text}.abc`), 30],
  ];
  for (const [what, searches, expected] of tooMany) {
    it(`keeps to ${what}`, () => {
      const { dns, warnings } = podDns(pod({ dnsPolicy: 'None', dnsConfig: { searches } }), CLUSTER);
      assert.deepEqual(dns.searches, searches.slice(0, expected));
      assert.ok(dns.searches.join(' ').length <= 2048);
      const isCut = expected < searches.length;
      assert.deepEqual(
        warnings.map(({ message }) => message),
        isCut
          ? [
              `Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${dns.searches.join(' ')}`,
            ]
          : [],
      );
    });
  }

  it('leaves out search paths that no resolver takes', () => {
    const searches = ['a.test', 'y'.repeat(254), 'b.test'];
    const { dns, warnings } = podDns(pod({ dnsPolicy: 'None', dnsConfig: { searches } }), CLUSTER);
    assert.deepEqual(dns.searches, ['a.test', 'b.test']);
    assert.equal(warnings.length, 1);
  });
});

// Source of the cases: kubelet, network/dns/dns_test.go TestParseResolvConf.
describe('parseResolvConf', () => {
  const cases: readonly (readonly [string, DnsConfig])[] = [
    ['', { servers: [], searches: [], options: [] }],
    ['nameserver\n', { servers: [], searches: [], options: [] }],
    ['nameserver 1.2.3.4', { servers: ['1.2.3.4'], searches: [], options: [] }],
    [' nameserver \t 1.2.3.4 # me', { servers: ['1.2.3.4'], searches: [], options: [] }],
    ['nameserver 1.2.3.4\nnameserver ::1\r\n', { servers: ['1.2.3.4', '::1'], searches: [], options: [] }],
    ['search foo. bar\n', { servers: [], searches: ['foo', 'bar'], options: [] }],
    ['search .', { servers: [], searches: ['.'], options: [] }],
    ['search foo\nsearch bar', { servers: [], searches: ['bar'], options: [] }],
    ['#nameserver 1.2.3.4\n;search x\n', { servers: [], searches: [], options: [] }],
    ['options ndots:5 attempts:2\noptions edns0', { servers: [], searches: [], options: ['edns0'] }],
  ];
  for (const [text, expected] of cases) {
    it(JSON.stringify(text), () => assert.deepEqual(parseResolvConf(text), expected));
  }
});

describe('HostDns', () => {
  it('looks behind a resolver of this machine, where it can', async () => {
    const dir = await makeTempDir();
    try {
      const [file, behind] = ['resolv.conf', 'behind.conf'].map((name) => path.join(dir.path, name)) as [
        string,
        string,
      ];
      await writeFile(file, 'nameserver 127.0.0.53\nsearch a.test\n');
      const dns = new HostDns(file, behind);
      assert.deepEqual(dns.read()?.servers, ['127.0.0.53']);
      await writeFile(behind, 'nameserver 192.0.2.1\nsearch a.test\n');
      assert.deepEqual(dns.read()?.servers, ['192.0.2.1']);
      await writeFile(file, 'nameserver 192.0.2.2\n');
      assert.deepEqual(dns.read()?.servers, ['192.0.2.2']);
      assert.equal(new HostDns('').read(), undefined);
      assert.throws(() => new HostDns(path.join(dir.path, 'none')).read(), { code: 'ENOENT' });
    } finally {
      await dir.remove();
    }
  });
});
