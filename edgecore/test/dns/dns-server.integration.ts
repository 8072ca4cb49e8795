import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { MemoryStore, type EntryList, type Scope, type StoreWatch } from '@hawser/kube';
import { eventually, FakeClock, freePort } from '@hawser/seams/testing';
import { fillCluster, HTTPS, putService } from './cluster-objects.ts';
import { ask, askTcp, lines, queryBytes, read, TcpTalk } from './dns-client.ts';
import { makeDns, startDns, type DnsSite } from './dns-site.ts';

const KUBERNETES = { name: 'kubernetes.default.svc.cluster.local', type: 'A' } as const;

/** A store whose reading fails when it is told to. */
class BreakableStore extends MemoryStore {
  broken = false;

  override list(scope: Scope, options?: { atVersion?: number }): EntryList {
    if (this.broken) throw new Error('it is broken');
    return super.list(scope, options);
  }

  override watch(scope: Scope, options: { fromVersion: number }): StoreWatch {
    if (this.broken) throw new Error('it is broken');
    return super.watch(scope, options);
  }
}

describe('the DNS server of a node', () => {
  let site: DnsSite | undefined;

  afterEach(async () => {
    await site?.server.stop();
    site = undefined;
  });

  async function filled(options: Parameters<typeof startDns>[0] = {}): Promise<DnsSite> {
    const store = new MemoryStore();
    await fillCluster(store);
    site = await startDns({ store, ...options });
    return site;
  }

  it('does not listen where nothing is said', async () => {
    const { server } = makeDns({ listen: '' });
    await server.start();
    assert.equal(server.address, undefined);
    assert.deepEqual(server.problems(), []);
    await server.stop();
  });

  it('stops twice, and before it has started', async () => {
    const { server } = makeDns();
    await server.stop();
    await server.start();
    assert.equal(server.address, undefined);
    const dns = await filled();
    await Promise.all([dns.server.stop(), dns.server.stop()]);
    assert.equal(dns.server.address, undefined);
  });

  it('listens on IPv6, too', async function () {
    site = await startDns({ listen: '[::1]:0' }).catch(() => this.skip());
    assert.equal(
      (await askTcp({ host: '::1', port: site.at.port }, { name: 'cluster.local', type: 'SOA' })).rcode,
      'NOERROR',
    );
  });

  it('tries again where its port is taken, and says so meanwhile', async () => {
    const port = await freePort();
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(port, '127.0.0.1', resolve));
    const { server } = makeDns({ listen: `127.0.0.1:${port}` });
    try {
      await server.start();
      assert.equal(server.address, undefined);
      const [problem] = server.problems();
      assert.equal(problem?.code, 'ERR_EDGECORE_DNS_LISTEN');
      assert.match(problem.message, new RegExp(`127\\.0\\.0\\.1:${port}: .*EADDRINUSE`));
      await new Promise<void>((resolve) => other.close(() => resolve()));
      await eventually('it listens', () => server.address !== undefined);
      assert.deepEqual(server.problems(), []);
      assert.equal(
        (await ask({ host: '127.0.0.1', port }, { name: 'cluster.local', type: 'SOA' })).rcode,
        'NOERROR',
      );
    } finally {
      await server.stop();
    }
  });

  it('stops while it tries to listen', async () => {
    const { server } = makeDns({ listen: '192.0.2.1:53' });
    await server.start();
    assert.equal(server.problems()[0]?.code, 'ERR_EDGECORE_DNS_LISTEN');
    await server.stop();
  });

  it('fails what it does not find until its store is ready', async () => {
    let isReady = false;
    const dns = await filled({ ready: () => isReady });
    assert.equal((await ask(dns.at, KUBERNETES)).rcode, 'NOERROR');
    const missing = { name: 'missing.default.svc.cluster.local', type: 'A' } as const;
    assert.equal((await ask(dns.at, missing)).rcode, 'SERVFAIL');
    isReady = true;
    assert.equal((await ask(dns.at, missing)).rcode, 'NXDOMAIN');
  });

  it('goes on with what it knows while its store fails, and lists again', async () => {
    const store = new BreakableStore();
    await fillCluster(store);
    const dns = await filled({ store });
    store.broken = true;
    // What a store that starts again does: its watches end.
    for (let index = 0; index < 11_000; index += 1) {
      void putService(store, `late/s-${index}`, { clusterIP: '10.3.9.9', ports: [HTTPS] });
    }
    assert.deepEqual(lines((await ask(dns.at, KUBERNETES)).answers), [
      'kubernetes.default.svc.cluster.local 5 A 10.3.0.1',
    ]);
    store.broken = false;
    await eventually('it has listed again', async () => {
      return (await ask(dns.at, { name: 's-10999.late.svc.cluster.local', type: 'A' })).rcode === 'NOERROR';
    });
  });

  it('answers in any order of addresses', async () => {
    const dns = await filled();
    const first = new Set<unknown>();
    for (let index = 0; index < 40; index += 1) {
      const { answers = [] } = await ask(dns.at, { name: 'headless.default.svc.cluster.local', type: 'A' });
      first.add((answers[0] as { data: unknown } | undefined)?.data);
    }
    assert.equal(first.size, 3);
  });

  it('counts what it answers, and what it does not', async () => {
    const dns = await filled();
    await ask(dns.at, KUBERNETES);
    await ask(dns.at, { name: 'none.cluster.local', type: 'A' });
    await ask(dns.at, { name: 'cluster.local', type: 'A' });
    await ask(dns.at, { name: 'cluster.local', type: 'AXFR' });
    const { at } = dns;
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.send('nothing', at.port, at.host, () => resolve()));
    await eventually(
      'it was dropped',
      async () => (await dns.figure('hawser_dns_dropped_total{why="no-query"}')) === 1,
    );
    await close(socket);
    const figures = ['noerror', 'nxdomain', 'nodata', 'refused', 'formerr'].map((result) =>
      dns.figure(`hawser_dns_answers_total{result="${result}"}`),
    );
    assert.deepEqual(await Promise.all(figures), [1, 1, 1, 1, 0]);
    assert.equal(await dns.figure('hawser_dns_endpoints'), 8);
  });

  describe('over TCP', () => {
    it('answers many questions of a connection, in pieces of any size', async () => {
      const dns = await filled();
      const talk = await TcpTalk.open(dns.at);
      const query = queryBytes(KUBERNETES);
      const framed = Buffer.concat([Buffer.of(0, query.length), query]);
      for (const byte of framed) talk.raw(Buffer.of(byte));
      assert.equal(read(await talk.next()).rcode, 'NOERROR');
      talk.raw(Buffer.concat(Array.from({ length: 100 }, () => framed)));
      for (let index = 0; index < 100; index += 1) assert.equal(read(await talk.next()).answers?.length, 1);
      talk.close();
    });

    it('ends a connection that sends what is no query, or too much', async () => {
      const dns = await filled();
      for (const bytes of [Buffer.of(0, 3, 1, 2, 3), Buffer.of(0x20, 0), Buffer.of(0, 0)]) {
        const talk = await TcpTalk.open(dns.at);
        talk.raw(bytes);
        await eventually('it is closed', () => talk.closed);
      }
    });

    it('ends a connection without whole queries after 10 s', async () => {
      const clock = new FakeClock();
      const dns = await filled({ clock });
      const idle = await TcpTalk.open(dns.at);
      const busy = await TcpTalk.open(dns.at);
      idle.raw(Buffer.of(0, 40, 1));
      await eventually('both are there', async () => (await dns.figure('hawser_dns_connections')) === 2);
      await clock.advance(6_000);
      idle.raw(Buffer.of(2));
      busy.send(queryBytes(KUBERNETES));
      await busy.next();
      await clock.advance(6_000);
      await eventually('the slow one is closed', () => idle.closed);
      assert.ok(!busy.closed);
      assert.equal(await dns.figure('hawser_dns_dropped_total{why="slow"}'), 1);
      await clock.advance(6_000);
      await eventually('the idle one is closed', () => busy.closed);
    });

    it('takes a bounded number of connections of one client', async () => {
      const dns = await filled();
      const talks = await Promise.all(Array.from({ length: 20 }, () => TcpTalk.open(dns.at)));
      await eventually('four are closed', () => talks.filter(({ closed }) => closed).length === 4);
      for (const talk of talks) talk.close();
      await eventually('all are gone', async () => (await dns.figure('hawser_dns_connections')) === 0);
      assert.equal((await askTcp(dns.at, KUBERNETES)).rcode, 'NOERROR');
    });

    it('waits for a client that does not read its answers', async () => {
      const dns = await filled();
      const talk = await TcpTalk.open(dns.at);
      talk.pause();
      const query = queryBytes(KUBERNETES);
      const framed = Buffer.concat([Buffer.of(0, query.length), query]);
      const block = Buffer.concat(Array.from({ length: 2000 }, () => framed));
      const before = process.memoryUsage().rss;
      for (let index = 0; index < 40; index += 1) talk.raw(block);
      assert.equal((await ask(dns.at, KUBERNETES)).rcode, 'NOERROR');
      let last = -1;
      await eventually(
        'it answers no more of them',
        async () => {
          const answered = await dns.figure('hawser_dns_answers_total{result="noerror"}');
          const isSame = answered === last;
          last = answered;
          return isSame && answered > 1;
        },
        { intervalMs: 50, deadlineMs: 20_000 },
      );
      assert.ok(last < 80_000, `${last}`);
      assert.ok(process.memoryUsage().rss - before < 100 * 2 ** 20);
      talk.close();
    }).timeout(30_000);
  });
});

function close(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
