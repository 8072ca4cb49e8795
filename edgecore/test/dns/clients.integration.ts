import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { MemoryStore } from '@hawser/kube';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { fillCluster, putService, putSlice } from './cluster-objects.ts';
import { startDns, type DnsSite } from './dns-site.ts';
import { address, GivenUpstream } from './given-upstream.ts';

const run = promisify(execFile);

describe('other clients of the DNS server', function () {
  this.timeout(30_000);

  let site: DnsSite;
  let upstream: GivenUpstream;

  before(async () => {
    upstream = new GivenUpstream(() => ({ answers: [address('www.example.com', '192.0.2.53')] }));
    const upstreamPort = await upstream.open();
    const store = new MemoryStore();
    await fillCluster(store);
    await putService(store, 'default/many', { clusterIP: 'None' });
    await putSlice(store, 'default/many-a', {
      service: 'many',
      endpoints: Array.from({ length: 300 }, (_, index) => ({
        addresses: [`10.8.${index >> 8}.${index & 255}`],
      })),
    });
    site = await startDns({ store, upstreamPort });
  });
  after(async () => {
    await site.server.stop();
    await upstream.close();
  });

  describe('that of Node.js (c-ares)', () => {
    let resolver: Resolver;
    beforeEach(() => {
      resolver = new Resolver({ timeout: 2000, tries: 1 });
      resolver.setServers([`${site.at.host}:${site.at.port}`]);
    });

    it('finds addresses, services and names', async () => {
      assert.deepEqual(await resolver.resolve4('kubernetes.default.svc.cluster.local'), ['10.3.0.1']);
      assert.deepEqual(await resolver.resolve6('dual.shop.svc.cluster.local'), ['fd00:3::7']);
      assert.deepEqual(
        await resolver.resolveSrv('_db._tcp.twin.shop.svc.cluster.local').then(({ length }) => length),
        2,
      );
      assert.deepEqual(await resolver.reverse('10.3.0.100'), ['my-pet.headless.default.svc.cluster.local']);
      assert.deepEqual(await resolver.resolveTxt('dns-version.cluster.local'), [['1.1.0']]);
      assert.deepEqual(await resolver.resolve4('foo.default.svc.cluster.local'), ['192.0.2.53']);
    });

    it('goes on over TCP, and tells what is not there from what has no data', async () => {
      assert.equal((await resolver.resolve4('many.default.svc.cluster.local')).length, 300);
      await assert.rejects(resolver.resolve4('none.default.svc.cluster.local'), { code: 'ENOTFOUND' });
      await assert.rejects(resolver.resolve6('kubernetes.default.svc.cluster.local'), { code: 'ENODATA' });
    });
  });

  describe('dig', () => {
    before(function () {
      if (spawnSync('dig', ['-v']).error !== undefined) this.skip(); // of bind9-dnsutils, which is not there
    });

    const dig = async (...args: string[]): Promise<string> => {
      const { stdout } = await run('dig', [
        `@${site.at.host}`,
        '-p',
        String(site.at.port),
        '+time=2',
        '+tries=1',
        ...args,
      ]);
      return stdout;
    };

    it('gets a whole answer', async () => {
      const text = await dig('_https._tcp.headless.default.svc.cluster.local', 'SRV');
      assert.match(text, /status: NOERROR/);
      assert.match(text, /flags: qr aa rd( ad)? ra; QUERY: 1, ANSWER: 3, AUTHORITY: 0, ADDITIONAL: 4/);
      assert.match(text, /EDNS: version: 0, flags:; udp: 1232/);
      assert.match(text, /5\s+IN\s+SRV\s+0 33 443 my-pet\.headless\.default\.svc\.cluster\.local\./);
      assert.doesNotMatch(text, /malformed|warning: (?!\.local)|extra bytes/i);
    });

    it('takes it over TCP, with and without EDNS', async () => {
      const lines = (text: string): number => text.trim().split('\n').length;
      assert.equal(lines(await dig('+short', '+noedns', 'many.default.svc.cluster.local')), 300);
      assert.equal(lines(await dig('+short', '+tcp', 'many.default.svc.cluster.local')), 300);
      assert.match(await dig('+ignore', '+noedns', 'many.default.svc.cluster.local'), /flags: qr aa tc rd/);
    });

    it('is refused transfers, ANY and other classes', async () => {
      assert.match(await dig('cluster.local', 'ANY'), /status: REFUSED/);
      assert.match(await dig('cluster.local', 'AXFR'), /Transfer failed/);
      assert.match(await dig('version.bind', 'CH', 'TXT'), /status: REFUSED/);
      assert.match(await dig('+edns=1', '+noednsneg', 'cluster.local'), /status: BADVERS/);
      assert.match(await dig('+opcode=notify', 'cluster.local'), /status: NOTIMP/);
    });
  });

  describe('those of the system, by resolv.conf', () => {
    let temp: TempDir;
    let own: DnsSite;

    before(async function () {
      // resolv.conf has no place for a port, nor for a file of our own: a name space of mounts does.
      const may = spawnSync('unshare', ['-m', 'mount', '--bind', '/etc/resolv.conf', '/etc/resolv.conf']);
      if (may.status !== 0) {
        this.skip(); // needs root, and the right to mount
      }
      const { store } = site;
      const started = await startDns({ store, listen: '127.0.0.153:53', upstreamPort: 9 }).catch(
        () => undefined,
      );
      if (started === undefined) return this.skip(); // port 53 may not be opened here
      own = started;
      temp = await makeTempDir();
      const search = 'search default.svc.cluster.local svc.cluster.local cluster.local';
      await writeFile(
        path.join(temp.path, 'resolv.conf'),
        `${search}\nnameserver 127.0.0.153\noptions ndots:5\n`,
      );
    });
    after(async () => {
      // They are there unless all of it was skipped.
      await (own as DnsSite | undefined)?.server.stop();
      await (temp as TempDir | undefined)?.remove();
    });

    const inside = async (command: string): Promise<string> => {
      const script = `mount --bind ${path.join(temp.path, 'resolv.conf')} /etc/resolv.conf && ${command}`;
      return (await run('unshare', ['-m', 'sh', '-c', script])).stdout;
    };

    it('getent finds names by their search paths', async () => {
      assert.match(await inside('getent ahostsv4 kubernetes'), /^10\.3\.0\.1 +STREAM kubernetes/m);
      assert.match(await inside('getent ahostsv6 dual.shop'), /^fd00:3::7 +STREAM dual\.shop/m);
      assert.match(await inside('getent hosts 10.3.0.1'), /kubernetes\.default\.svc\.cluster\.local/);
      const many = await inside('getent ahostsv4 many');
      assert.equal(many.split('\n').filter((line) => line.includes('STREAM')).length, 300);
      await assert.rejects(inside('getent hosts none.default'));
    });

    it('Python finds them, too', async function () {
      if (spawnSync('python3', ['-c', '0']).status !== 0) this.skip(); // there is no Python here
      const program = `import socket; print(sorted({a[4][0] for a in socket.getaddrinfo('headless', 443)}))`;
      assert.equal(
        (await inside(`python3 -c "${program}"`)).trim(),
        "['10.3.0.100', '10.3.0.101', '10.3.0.102']",
      );
    });
  });
});
