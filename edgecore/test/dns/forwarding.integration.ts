import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { MemoryStore } from '@hawser/kube';
import { FakeClock, eventually, freePort, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { encode, type DecodedPacket } from 'dns-packet';
import { fillCluster } from './cluster-objects.ts';
import { ask, askTcp, lines, queryBytes, read, sendUdp, TcpTalk, type Answered } from './dns-client.ts';
import { startDns, type DnsSite, type DnsSiteOptions } from './dns-site.ts';
import { address, GivenUpstream, startOfAuthority, type UpstreamAnswer } from './given-upstream.ts';

const WWW = 'www.example.com';

describe('names of others', function () {
  this.timeout(20_000);

  let upstream: GivenUpstream;
  let port: number;
  let site: DnsSite | undefined;

  beforeEach(async () => {
    upstream = new GivenUpstream(() => ({ answers: [address(WWW, '192.0.2.53')] }));
    port = await upstream.open();
  });
  afterEach(async () => {
    await site?.server.stop();
    site = undefined;
    await upstream.close();
  });

  async function start(options: DnsSiteOptions = {}): Promise<DnsSite> {
    site = await startDns({ upstreamPort: port, ...options });
    return site;
  }

  const www = (at: DnsSite): Promise<Answered> => ask(at.at, { name: WWW, type: 'A', udpBytes: 1232 });

  it('are asked for of another server, and kept as long as it says', async () => {
    const clock = new FakeClock();
    const dns = await start({ clock });
    const first = await www(dns);
    assert.deepEqual(lines(first.answers), [`${WWW} 60 A 192.0.2.53`]);
    assert.ok(!first.flag_aa && first.flag_ra);
    await clock.advance(20_000);
    assert.deepEqual(lines((await www(dns)).answers), [`${WWW} 40 A 192.0.2.53`]);
    assert.equal(upstream.asked.length, 1);
    await clock.advance(40_000);
    assert.deepEqual(lines((await www(dns)).answers), [`${WWW} 60 A 192.0.2.53`]);
    assert.equal(upstream.asked.length, 2);
    assert.equal(await dns.figure('hawser_dns_cache_total{result="hit"}'), 1);
    assert.equal(await dns.figure('hawser_dns_cached_answers'), 1);
  });

  it('are kept apart by all that an answer may differ in', async () => {
    const dns = await start();
    await ask(dns.at, { name: WWW, type: 'A' });
    await ask(dns.at, { name: WWW.toUpperCase(), type: 'A' });
    assert.equal(upstream.asked.length, 1);
    await ask(dns.at, { name: WWW, type: 'A', udpBytes: 1232 });
    await ask(dns.at, { name: WWW, type: 'AAAA' });
    await ask(dns.at, { name: WWW, type: 'A', flags: 0x0110 });
    assert.equal(upstream.asked.length, 4);
  });

  it('that are not there are kept as their SOA says, and not without one', async () => {
    const clock = new FakeClock();
    const dns = await start({ clock });
    upstream.handler = () => ({ rcode: 3, authorities: [startOfAuthority('example.com', 20)] });
    const first = await www(dns);
    assert.equal(first.rcode, 'NXDOMAIN');
    assert.equal(first.authorities?.length, 1);
    await clock.advance(19_000);
    await www(dns);
    assert.equal(upstream.asked.length, 1);
    await clock.advance(1_000);
    await www(dns);
    assert.equal(upstream.asked.length, 2);
    upstream.handler = () => ({ rcode: 3 });
    await ask(dns.at, { name: 'x.example.com', type: 'A' });
    await ask(dns.at, { name: 'x.example.com', type: 'A' });
    assert.equal(upstream.asked.length, 4);
  });

  it('are believed only with the id and the question that were sent', async () => {
    const dns = await start();
    upstream.handler = (packet) => {
      const forged = (id: number, name: string): Buffer =>
        encode({
          ...{ type: 'response', id, flags: 0x0180, questions: [{ type: 'A', name }] },
          answers: [address(name, '203.0.113.66')],
        });
      const id = packet.id ?? 0;
      const notAnAnswer = encode({ type: 'query', id, questions: [{ type: 'A', name: WWW }] });
      const before = [forged(id ^ 1, WWW), forged(id, 'evil.example.com'), notAnAnswer, Buffer.alloc(3)];
      return { answers: [address(WWW, '192.0.2.53')], before };
    };
    assert.deepEqual(lines((await www(dns)).answers), [`${WWW} 60 A 192.0.2.53`]);
  });

  it('are asked for over TCP where somebody guesses', async () => {
    const dns = await start();
    upstream.handler = (packet, way) => {
      const wrong = encode({
        type: 'response',
        id: (packet.id ?? 0) ^ 1,
        questions: [{ type: 'A', name: WWW }],
      });
      const before = way === 'udp' ? Array.from({ length: 50 }, () => wrong) : [];
      return { answers: [address(WWW, way === 'udp' ? '203.0.113.66' : '192.0.2.53')], before };
    };
    assert.deepEqual(lines((await www(dns)).answers), [`${WWW} 60 A 192.0.2.53`]);
  });

  it('have ids and ports that cannot be guessed', async () => {
    const dns = await start();
    const ids = new Set<number>();
    upstream.handler = (packet) => {
      ids.add(packet.id ?? 0);
      return {};
    };
    for (let index = 0; index < 30; index += 1)
      await ask(dns.at, { name: `n${index}.example.com`, type: 'A' });
    assert.ok(ids.size > 25);
    const sorted = [...ids].sort((a, b) => a - b);
    assert.ok((sorted.at(-1) ?? 0) - (sorted[0] ?? 0) > 10_000);
  });

  it('are asked for over TCP where an answer is cut', async () => {
    const dns = await start();
    const many = Array.from({ length: 60 }, (_, index) => address(WWW, `192.0.2.${index}`));
    upstream.handler = (_, way) => (way === 'udp' ? { flags: 0x0200, answers: [] } : { answers: many });
    const cut = await www(dns);
    assert.ok(cut.flag_tc);
    assert.deepEqual(
      upstream.asked.map(({ way }) => way),
      ['udp', 'tcp'],
    );
    const whole = await askTcp(dns.at, { name: WWW, type: 'A', udpBytes: 1232 });
    assert.equal(whole.answers?.length, 60);
    assert.equal(upstream.asked.length, 2, 'the cache had it');
    assert.equal(await dns.figure('hawser_dns_forwards_total{result="tcp"}'), 1);
  });

  it('are asked for once for all who wait', async () => {
    const dns = await start();
    const answers = await Promise.all(Array.from({ length: 20 }, () => www(dns)));
    assert.equal(new Set(answers.map(({ rcode }) => rcode)).size, 1);
    assert.equal(upstream.asked.length, 1);
  });

  it('are asked for of the next server where one refuses, or does not answer', async () => {
    const second = new GivenUpstream(() => ({ answers: [address(WWW, '192.0.2.54')] }));
    await second.open('127.0.0.2', port);
    try {
      const clock = new FakeClock();
      const dns = await start({ clock, upstream: '127.0.0.1,127.0.0.2' });
      upstream.handler = () => ({ rcode: 5 });
      assert.deepEqual(lines((await www(dns)).answers), [`${WWW} 60 A 192.0.2.54`]);
      upstream.handler = () => undefined;
      const other = await moving(clock, ask(dns.at, { name: 'a.example.com', type: 'A' }));
      assert.equal(other.answer.rcode, 'NOERROR');
      assert.ok(other.tookMs <= 1500, `${other.tookMs} ms`);
      // The one that does not answer is asked last now.
      const before = upstream.asked.length;
      await ask(dns.at, { name: 'b.example.com', type: 'A' });
      assert.equal(upstream.asked.length, before);
      second.handler = () => ({ rcode: 2 });
      upstream.handler = () => ({ rcode: 2 });
      assert.equal((await ask(dns.at, { name: 'c.example.com', type: 'A' })).rcode, 'SERVFAIL');
    } finally {
      await second.close();
    }
  });

  it('fail at once where there is no server, and are there again with it', async () => {
    const clock = new FakeClock();
    const dead = await freePort();
    const dns = await start({ clock, upstreamPort: dead });
    const startedMs = performance.now();
    assert.equal((await www(dns)).rcode, 'SERVFAIL');
    assert.ok(performance.now() - startedMs < 1000, 'a closed port is heard of');
    assert.equal((await www(dns)).rcode, 'SERVFAIL');
    assert.ok((await dns.figure('hawser_dns_forwards_total{result="away"}')) >= 1);
    assert.deepEqual(dns.server.problems(), []);
    await clock.advance(20_000);
    const [problem] = dns.server.problems();
    assert.equal(problem?.code, 'ERR_EDGECORE_DNS_UPSTREAM');
    assert.match(problem.message, /No DNS server \(127\.0\.0\.1\) answers .* since/);
    const back = new GivenUpstream(() => ({ answers: [address(WWW, '192.0.2.53')] }));
    await back.open('127.0.0.1', dead);
    try {
      assert.equal((await www(dns)).rcode, 'NOERROR');
      assert.deepEqual(dns.server.problems(), []);
    } finally {
      await back.close();
    }
  });

  it('fail quickly where servers are silent, and the next ones at once', async () => {
    const clock = new FakeClock();
    const dns = await start({ clock });
    upstream.handler = () => undefined;
    const { answer, tookMs } = await moving(clock, ask(dns.at, { name: WWW, type: 'A' }));
    assert.equal(answer.rcode, 'SERVFAIL');
    assert.ok(tookMs < 5000, `${tookMs} ms`);
    // The clock stands: nobody waits for anything.
    assert.equal((await ask(dns.at, { name: 'other.example.com', type: 'A' })).rcode, 'SERVFAIL');
    assert.equal((await ask(dns.at, { name: 'cluster.local', type: 'SOA' })).rcode, 'NOERROR');
  });

  it('of which nobody can find one do not make the others fail', async () => {
    const clock = new FakeClock();
    const dns = await start({ clock });
    upstream.handler = ({ questions: [question] = [] }): UpstreamAnswer =>
      question?.name === 'lost.example.com' ? undefined : { answers: [address(WWW, '192.0.2.53')] };
    const lost = await moving(clock, ask(dns.at, { name: 'lost.example.com', type: 'A' }));
    assert.equal(lost.answer.rcode, 'SERVFAIL');
    assert.equal((await www(dns)).rcode, 'NOERROR');
    assert.equal(await dns.figure('hawser_dns_forwards_total{result="away"}'), 0);
  });

  it('are better old than not at all', async () => {
    const clock = new FakeClock();
    const dns = await start({ clock });
    await www(dns);
    await upstream.close();
    await clock.advance(3_600_000);
    const old = await www(dns);
    assert.deepEqual(lines(old.answers), [`${WWW} 30 A 192.0.2.53`]);
    assert.equal(await dns.figure('hawser_dns_cache_total{result="stale"}'), 1);
    await clock.advance(24 * 3_600_000);
    assert.equal((await www(dns)).rcode, 'SERVFAIL');
  });

  it('stand behind names of the cluster', async () => {
    const store = new MemoryStore();
    await fillCluster(store);
    const dns = await start({ store });
    upstream.handler = ({ questions: [question] = [] }) => {
      assert.equal(question?.name, WWW);
      return {
        answers: [
          { type: 'CNAME', name: WWW, ttl: 9, data: 'edge.example.net' },
          address('edge.example.net', '192.0.2.53', 8),
        ],
      };
    };
    const answer = await ask(dns.at, { name: 'foo.default.svc.cluster.local', type: 'A' });
    assert.deepEqual(lines(answer.answers), [
      'edge.example.net 8 A 192.0.2.53',
      'foo.default.svc.cluster.local 5 CNAME www.example.com',
      'www.example.com 9 CNAME edge.example.net',
    ]);
    assert.equal(answer.answers?.[0]?.type, 'CNAME', 'in the order of following');
    upstream.handler = () => ({ rcode: 3 });
    const missing = await ask(dns.at, { name: 'foo.default.svc.cluster.local', type: 'AAAA' });
    assert.equal(missing.rcode, 'NXDOMAIN');
    assert.deepEqual(lines(missing.answers), ['foo.default.svc.cluster.local 5 CNAME www.example.com']);
  });

  it('are not asked of ourselves', async () => {
    const own = await freePort();
    const dns = await start({ listen: `127.0.0.1:${own}`, upstreamPort: own, upstream: '127.0.0.1' });
    assert.equal((await www(dns)).rcode, 'SERVFAIL');
    assert.equal(
      await dns.figure('hawser_dns_answers_total{result="servfail"}'),
      1,
      'one question, one answer',
    );
    await site?.server.stop();
    const all = await start({ listen: `0.0.0.0:${own}`, upstreamPort: own, upstream: '127.0.0.1' });
    const answer = await ask({ host: '127.0.0.1', port: own }, { name: WWW, type: 'A' });
    assert.equal(answer.rcode, 'SERVFAIL');
    assert.equal(await all.figure('hawser_dns_answers_total{result="servfail"}'), 1);
  });

  it('are refused without recursion', async () => {
    const dns = await start();
    assert.equal((await ask(dns.at, { name: WWW, type: 'A', flags: 0 })).rcode, 'REFUSED');
    assert.equal((await ask(dns.at, { name: 'cluster.local', type: 'SOA', flags: 0 })).rcode, 'NOERROR');
    assert.equal(upstream.asked.length, 0);
  });

  it('of the reverse zones that are not of the cluster are of others, too', async () => {
    const dns = await start();
    const name = '1.2.0.192.in-addr.arpa';
    upstream.handler = () => ({ answers: [{ type: 'PTR', name, ttl: 7, data: 'host.example.com' }] });
    assert.deepEqual(lines((await ask(dns.at, { name, type: 'PTR' })).answers), [
      `${name} 7 PTR host.example.com`,
    ]);
  });

  it('of one client leave room for those of another', async () => {
    const dns = await start();
    upstream.handler = ({ questions: [question] = [] }: DecodedPacket) =>
      question?.name === 'calm.example.com' ? {} : undefined;
    const talk = await Promise.all(Array.from({ length: 16 }, () => TcpTalk.open(dns.at)));
    for (const [index, client] of talk.entries()) {
      for (let one = 0; one < 16; one += 1) {
        client.send(queryBytes({ name: `n${index}-${one}.example.com`, type: 'A' }));
      }
    }
    await eventually('the client has as many as it may', async () => {
      return (await dns.figure('hawser_dns_forwards_total{result="full"}')) >= 128;
    });
    assert.ok((await dns.figure('hawser_dns_outstanding')) <= 128);
    const calm = queryBytes({ name: 'calm.example.com', type: 'A' });
    assert.equal(read(await sendUdp(dns.at, calm, 1000, '127.0.0.2')).rcode, 'NOERROR');
    for (const client of talk) client.close();
  });

  it('that cannot be read are a failure behind names of the cluster, and nothing else', async () => {
    const store = new MemoryStore();
    await fillCluster(store);
    const dns = await start({ store });
    upstream.handler = () => ({
      answers: [{ type: 'CNAME', name: WWW, ttl: 9, data: `${'ä'.repeat(30)}.example.com` }],
    });
    const answer = await ask(dns.at, { name: 'foo.default.svc.cluster.local', type: 'A' });
    assert.equal(answer.rcode, 'SERVFAIL');
  });

  describe('by the resolv.conf of the host', () => {
    let temp: TempDir;
    beforeEach(async () => (temp = await makeTempDir()));
    afterEach(() => temp.remove());

    it('are asked of its servers, of others once it names them', async () => {
      const clock = new FakeClock();
      const resolvConf = path.join(temp.path, 'resolv.conf');
      await writeFile(resolvConf, 'search example.com\nnameserver 127.0.0.9\nnameserver nonsense\n');
      const dns = await start({ clock, upstream: '', resolvConf });
      assert.equal((await www(dns)).rcode, 'SERVFAIL');
      await writeFile(resolvConf, 'nameserver 127.0.0.1\n');
      await clock.advance(15_000);
      assert.equal((await www(dns)).rcode, 'NOERROR');
    });

    it('fail where it cannot be read', async () => {
      const dns = await start({ upstream: '', resolvConf: path.join(temp.path, 'none') });
      assert.equal((await www(dns)).rcode, 'SERVFAIL');
    });
  });
});

/** Moves a clock until an answer is there, in steps that leave others their time. */
async function moving(
  clock: FakeClock,
  answer: Promise<Answered>,
): Promise<{ readonly answer: Answered; readonly tookMs: number }> {
  const startedMs = clock.monotonicMs();
  const settled = { done: false };
  void answer.finally(() => (settled.done = true)).catch(() => {}); // whoever awaits it hears of it
  await eventually('there is an answer', async () => {
    if (!settled.done) await clock.advance(100);
    return settled.done;
  });
  return { answer: await answer, tookMs: clock.monotonicMs() - startedMs };
}
