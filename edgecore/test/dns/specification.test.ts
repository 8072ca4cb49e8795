import assert from 'node:assert/strict';
import { MemoryStore } from '@hawser/kube';
import type { RecordType } from 'dns-packet';
import { fillCluster } from './cluster-objects.ts';
import { ask, lines } from './dns-client.ts';
import { startDns, type DnsSite } from './dns-site.ts';

type Golden = readonly [question: string, answers: readonly string[], additionals?: readonly string[]];

const SOA = 'cluster.local 5 SOA ns.dns.cluster.local hostmaster.cluster.local 7200 1800 86400 5';

/** Examples of the specification, in its order; numbers that it leaves open are ours. */
const EXAMPLES: readonly Golden[] = [
  // 2.2
  ['dns-version.cluster.local TXT', ['dns-version.cluster.local 5 TXT 1.1.0']],
  // 2.3.1
  ['kubernetes.default.svc.cluster.local A', ['kubernetes.default.svc.cluster.local 5 A 10.3.0.1']],
  ['dual.shop.svc.cluster.local A', ['dual.shop.svc.cluster.local 5 A 10.3.0.7']],
  ['dual.shop.svc.cluster.local AAAA', ['dual.shop.svc.cluster.local 5 AAAA fd00:3::7']],
  // 2.3.2
  [
    '_https._tcp.kubernetes.default.svc.cluster.local SRV',
    ['_https._tcp.kubernetes.default.svc.cluster.local 5 SRV 0 100 443 kubernetes.default.svc.cluster.local'],
    ['kubernetes.default.svc.cluster.local 5 A 10.3.0.1'],
  ],
  [
    '_dns._udp.dual.shop.svc.cluster.local SRV',
    ['_dns._udp.dual.shop.svc.cluster.local 5 SRV 0 100 53 dual.shop.svc.cluster.local'],
    ['dual.shop.svc.cluster.local 5 A 10.3.0.7', 'dual.shop.svc.cluster.local 5 AAAA fd00:3::7'],
  ],
  // 2.3.3
  ['1.0.3.10.in-addr.arpa PTR', ['1.0.3.10.in-addr.arpa 5 PTR kubernetes.default.svc.cluster.local']],
  [
    `7.${'0.'.repeat(23)}3.0.0.0.0.d.f.ip6.arpa PTR`.replace('3.0.0.0.0.d.f', '3.0.0.0.0.0.d.f'),
    [`7.${'0.'.repeat(23)}3.0.0.0.0.0.d.f.ip6.arpa 5 PTR dual.shop.svc.cluster.local`],
  ],
  // 2.4.1
  [
    'headless.default.svc.cluster.local A',
    [
      'headless.default.svc.cluster.local 5 A 10.3.0.100',
      'headless.default.svc.cluster.local 5 A 10.3.0.101',
      'headless.default.svc.cluster.local 5 A 10.3.0.102',
    ],
  ],
  [
    'my-pet.headless.default.svc.cluster.local A',
    ['my-pet.headless.default.svc.cluster.local 5 A 10.3.0.100'],
  ],
  [
    '10-3-0-102.headless.default.svc.cluster.local A',
    ['10-3-0-102.headless.default.svc.cluster.local 5 A 10.3.0.102'],
  ],
  [
    'twin.shop.svc.cluster.local AAAA',
    ['twin.shop.svc.cluster.local 5 AAAA fd00:2::1', 'twin.shop.svc.cluster.local 5 AAAA fd00:1::2'],
  ],
  ['twin-0.twin.shop.svc.cluster.local AAAA', ['twin-0.twin.shop.svc.cluster.local 5 AAAA fd00:2::1']],
  ['fd00-1--2.twin.shop.svc.cluster.local AAAA', ['fd00-1--2.twin.shop.svc.cluster.local 5 AAAA fd00:1::2']],
  ['waking-0.waking.shop.svc.cluster.local A', ['waking-0.waking.shop.svc.cluster.local 5 A 10.1.0.9']],
  // 2.4.2
  [
    '_https._tcp.headless.default.svc.cluster.local SRV',
    ['10-3-0-102', 'my-pet', 'my-pet-2'].map(
      (host) =>
        `_https._tcp.headless.default.svc.cluster.local 5 SRV 0 33 443 ${host}.headless.default.svc.cluster.local`,
    ),
    [
      '10-3-0-102.headless.default.svc.cluster.local 5 A 10.3.0.102',
      'my-pet-2.headless.default.svc.cluster.local 5 A 10.3.0.101',
      'my-pet.headless.default.svc.cluster.local 5 A 10.3.0.100',
    ],
  ],
  [
    '_db._tcp.twin.shop.svc.cluster.local SRV',
    ['fd00-1--2', 'twin-0'].map(
      (host) => `_db._tcp.twin.shop.svc.cluster.local 5 SRV 0 50 5432 ${host}.twin.shop.svc.cluster.local`,
    ),
    [
      'fd00-1--2.twin.shop.svc.cluster.local 5 AAAA fd00:1::2',
      'twin-0.twin.shop.svc.cluster.local 5 A 10.1.0.1',
      'twin-0.twin.shop.svc.cluster.local 5 AAAA fd00:2::1',
    ],
  ],
  // 2.4.3
  [
    '100.0.3.10.in-addr.arpa PTR',
    ['100.0.3.10.in-addr.arpa 5 PTR my-pet.headless.default.svc.cluster.local'],
  ],
  [
    '102.0.3.10.in-addr.arpa PTR',
    ['102.0.3.10.in-addr.arpa 5 PTR 10-3-0-102.headless.default.svc.cluster.local'],
  ],
  // 2.5
  ['foo.default.svc.cluster.local CNAME', ['foo.default.svc.cluster.local 5 CNAME www.example.com']],
  [
    'alias.default.svc.cluster.local A',
    [
      'alias.default.svc.cluster.local 5 CNAME kubernetes.default.svc.cluster.local',
      'kubernetes.default.svc.cluster.local 5 A 10.3.0.1',
    ],
  ],
  // 2.6
  ['10-1-2-3.default.pod.cluster.local A', ['10-1-2-3.default.pod.cluster.local 5 A 10.1.2.3']],
  ['fd00--12.default.pod.cluster.local AAAA', ['fd00--12.default.pod.cluster.local 5 AAAA fd00::12']],
  // Not of the specification: as CoreDNS.
  [
    'kubernetes.default.svc.cluster.local SRV',
    ['kubernetes.default.svc.cluster.local 5 SRV 0 100 443 kubernetes.default.svc.cluster.local'],
    ['kubernetes.default.svc.cluster.local 5 A 10.3.0.1'],
  ],
  ['cluster.local SOA', [SOA]],
  ['cluster.local NS', ['cluster.local 5 NS ns.dns.cluster.local'], ['ns.dns.cluster.local 5 A 127.0.0.1']],
  ['ns.dns.cluster.local A', ['ns.dns.cluster.local 5 A 127.0.0.1']],
];

const NO_DATA = [
  'cluster.local A',
  'svc.cluster.local A',
  'pod.cluster.local A',
  'dns.cluster.local A',
  'default.svc.cluster.local A',
  'kubernetes.default.svc.cluster.local AAAA',
  'kubernetes.default.svc.cluster.local MX',
  'dns-version.cluster.local A',
  '_tcp.kubernetes.default.svc.cluster.local SRV',
  '_https._tcp.kubernetes.default.svc.cluster.local A',
  'headless.default.svc.cluster.local AAAA',
  'my-pet.headless.default.svc.cluster.local AAAA',
  'default.pod.cluster.local A',
  '10-1-2-3.default.pod.cluster.local AAAA',
  'broken.default.svc.cluster.local A',
];

const NO_NAME = [
  'nothing.cluster.local A',
  'nothing.default.svc.cluster.local A',
  'kubernetes.nowhere.svc.cluster.local A',
  'nowhere.svc.cluster.local A',
  'x.kubernetes.default.svc.cluster.local A',
  'asleep.headless.default.svc.cluster.local A',
  '_http._tcp.kubernetes.default.svc.cluster.local SRV',
  '_https._udp.kubernetes.default.svc.cluster.local SRV',
  '_udp.kubernetes.default.svc.cluster.local SRV',
  '_._tcp.dual.shop.svc.cluster.local SRV',
  '_https._tcp.my-pet.headless.default.svc.cluster.local SRV',
  'a._https._tcp.kubernetes.default.svc.cluster.local SRV',
  // The specification: a headless Service without an endpoint that is ready.
  'empty.shop.svc.cluster.local A',
  '_https._tcp.empty.shop.svc.cluster.local SRV',
  'pending.shop.svc.cluster.local A',
  'x.foo.default.svc.cluster.local A',
  'nothing.default.pod.cluster.local A',
  '10-1-2-3.a.b.pod.cluster.local A',
  'x.dns-version.cluster.local TXT',
  'x.ns.dns.cluster.local A',
  'kubernetes.default.svc.svc.cluster.local A',
];

describe('names of the cluster, as the specification has them', () => {
  let site: DnsSite;

  before(async () => {
    const store = new MemoryStore();
    await fillCluster(store);
    site = await startDns({ store });
  });
  after(() => site.server.stop());

  const put = async (question: string): ReturnType<typeof ask> => {
    const [name = '', type] = question.split(' ');
    return await ask(site.at, { name, type: type as RecordType, udpBytes: 1232 });
  };

  for (const [question, answers, additionals = []] of EXAMPLES) {
    it(question.replaceAll(/(0\.){9,}/g, '0.….'), async () => {
      const answer = await put(question);
      assert.equal(answer.rcode, 'NOERROR');
      assert.ok(answer.flag_aa && answer.flag_ra && !answer.flag_tc);
      assert.deepEqual(lines(answer.answers), [...answers].sort());
      assert.deepEqual(lines(answer.additionals), [...additionals].sort());
      assert.deepEqual(lines(answer.authorities), []);
    });
  }

  it('have what is there without records of the type: NODATA, with an SOA', async () => {
    for (const question of NO_DATA) {
      const answer = await put(question);
      assert.equal(answer.rcode, 'NOERROR', question);
      assert.deepEqual([lines(answer.answers), lines(answer.authorities)], [[], [SOA]], question);
    }
  });

  it('have what is not there: NXDOMAIN, with an SOA', async () => {
    for (const question of NO_NAME) {
      const answer = await put(question);
      assert.equal(answer.rcode, 'NXDOMAIN', question);
      assert.deepEqual([lines(answer.answers), lines(answer.authorities)], [[], [SOA]], question);
      assert.ok(answer.flag_aa, question);
    }
  });

  it('are asked for in any case, and answered in that of the question', async () => {
    const answer = await put('kUbErNeTeS.DEFAULT.svc.Cluster.LOCAL A');
    assert.equal(answer.questions?.[0]?.name, 'kUbErNeTeS.DEFAULT.svc.Cluster.LOCAL');
    assert.deepEqual(lines(answer.answers), ['kUbErNeTeS.DEFAULT.svc.Cluster.LOCAL 5 A 10.3.0.1']);
    const srv = await put('_HTTPS._TCP.kubernetes.default.svc.cluster.local SRV');
    assert.equal(srv.answers?.length, 1);
  });

  it('do not go round in a circle', async () => {
    assert.equal((await put('round.default.svc.cluster.local A')).rcode, 'SERVFAIL');
    const answer = await put('round.default.svc.cluster.local CNAME');
    assert.deepEqual(lines(answer.answers), [
      'round.default.svc.cluster.local 5 CNAME round.default.svc.cluster.local',
    ]);
  });
});
