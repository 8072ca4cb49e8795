import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { TestAuthority } from '@hawser/proto/testing';
import { delay } from '@hawser/seams';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { configMap, boundPod } from '../../src/cluster-site/site-objects.ts';
import { sameView } from '../spine/same-view.ts';

const DAY_MS = 86_400_000;

// What docs/identity.md says of renewals and of time, by the real command on a machine of its own.
describe('the edge process, its certificate and its clock', function () {
  this.timeout(120_000);
  let site: ClusterSite;
  let authority: TestAuthority;
  let edges = 0;

  before(async () => {
    site = await ClusterSite.open({ hub: { logLevel: 'error' } });
    const { certificate, privateKey } = await site.authority();
    authority = await TestAuthority.load(certificate, privateKey);
  });

  after(() => site.close());

  /** A node that has joined and has something to keep; not started. */
  async function joined(): Promise<SiteEdge> {
    edges += 1;
    const node = `edge-${edges}`;
    await site.objects.createAll([
      configMap(`cm-${node}`, 'kept'),
      boundPod(`pod-${node}`, node, [`cm-${node}`]),
    ]);
    return site.joined(node);
  }

  const pki = (edge: SiteEdge, file: string): string => path.join(edge.dataDir, 'pki', file);

  /** Gives a node another certificate, of other dates, as if it had had it for long. */
  async function certify(edge: SiteEdge, fromMs: number, toMs: number): Promise<void> {
    const dates = { notBefore: new Date(fromMs), notAfter: new Date(toMs) };
    const { privateKey, certificate } = await authority.edge(edge.node, dates);
    const key = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
    await writeFile(
      pki(edge, 'node.pem'),
      [key, certificate.toString(), authority.certificate.toString()].join(''),
    );
  }

  async function certificateOf(edge: SiteEdge): Promise<X509Certificate> {
    const text = await readFile(pki(edge, 'node.pem'), 'utf8');
    return new X509Certificate(
      /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/.exec(text)?.[0] ?? '',
    );
  }

  /** It was renewed, and the renewed one is what it has and shows. */
  async function renewed(edge: SiteEdge): Promise<void> {
    await edge.until(
      ({ session, certificate }) =>
        session.state === 'up' && Date.parse(certificate?.expires ?? '') > Date.now() + 300 * DAY_MS,
      60_000,
    );
    await edge.untilInSync();
    await sameView(site, edge);
    assert.ok(Date.parse((await certificateOf(edge)).validTo) > Date.now() + 300 * DAY_MS);
  }

  it('renews a certificate that ends while it runs and nobody can be reached', async () => {
    const edge = await joined();
    const endsMs = Date.now() + 9_000;
    await certify(edge, endsMs - 365 * DAY_MS, endsMs);
    await site.link.cut();
    await edge.start();
    // Its attempts to renew in time have failed by then.
    await edge.until(({ certificate }) => certificate?.lastError !== undefined);
    await delay(Math.max(0, endsMs + 500 - Date.now()));
    await site.link.heal();
    await renewed(edge);
    await edge.stop();
  });

  it('renews at its start one that has ended long ago', async () => {
    const edge = await joined();
    await certify(edge, Date.now() - 385 * DAY_MS, Date.now() - 20 * DAY_MS);
    await edge.start();
    await renewed(edge);
    await edge.stop();
  });

  it('stays out with one that ended too long ago, keeps what it has, and says so', async () => {
    const edge = await joined();
    await edge.start();
    await edge.untilInSync();
    await sameView(site, edge);
    const had = await edge.objects();
    await edge.stop();
    await certify(edge, Date.now() - 400 * DAY_MS, Date.now() - 35 * DAY_MS);
    await edge.start();
    const { problems, session, certificate } = await edge.until(
      (now) => now.certificate?.lastError !== undefined,
    );
    assert.notEqual(session.state, 'up');
    assert.match(certificate?.lastError ?? '', /ERR_TUNNEL_CERT_EXPIRED/);
    assert.ok(problems.some(({ code }) => code === 'ERR_TUNNEL_CERT_EXPIRED'));
    assert.deepEqual(await edge.objects(), had);
    await edge.stop();
  });

  it('works with a clock that was set back by a year', async () => {
    const edge = await joined();
    await edge.start();
    await edge.untilInSync();
    await edge.stop();
    const before = await certificateOf(edge);
    await edge.start({ wallShiftMs: -365 * DAY_MS });
    const { process: running } = await edge.untilInSync();
    assert.ok(Date.parse(running.startedAt) < Date.now() - 300 * DAY_MS, 'the clock is another one');
    await sameView(site, edge);
    await edge.admin.reconnect();
    await edge.untilInSync();
    assert.equal((await certificateOf(edge)).serialNumber, before.serialNumber);
    await edge.stop();
  });

  it('learns from the hub that its certificate has ended, where its own clock is a year back', async () => {
    const edge = await joined();
    // Not before the authority of this cluster, which is of today.
    await certify(edge, Date.now() - DAY_MS / 2, Date.now() - DAY_MS / 4);
    await edge.start({ wallShiftMs: -365 * DAY_MS });
    await renewed(edge);
    await edge.stop();
  });

  for (const [what, withBound] of [
    ['and remembers what time it was', true],
    ['and remembers nothing', false],
  ] as const)
    it(`begins in 1970 on a machine without a clock, ${what}`, async () => {
      const edge = await joined();
      if (withBound) {
        await edge.start();
        await edge.untilInSync();
        await edge.stop();
        assert.ok(Date.parse((await readFile(pki(edge, 'time'), 'utf8')).trim()) > Date.now() - DAY_MS);
      } else await rm(pki(edge, 'time'), { force: true });
      await edge.start({ wallShiftMs: -Date.now() + 5_000 });
      const { process: running } = await edge.untilInSync();
      assert.match(running.startedAt, /^1970-/);
      await sameView(site, edge);
      await edge.stop();
      assert.ok(Date.parse((await readFile(pki(edge, 'time'), 'utf8')).trim()) > Date.now() - DAY_MS);
    });
});
