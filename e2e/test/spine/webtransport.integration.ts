import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { ClusterSite } from '../../src/cluster-site/cluster-site.ts';
import type { SiteEdge } from '../../src/cluster-site/site-edge.ts';
import { boundPod, configMap } from '../../src/cluster-site/site-objects.ts';
import { allRunning } from './pod-phases.ts';
import { sameView } from './same-view.ts';

const NODE = 'edge-1';
const BUNDLE = path.resolve(createRequire(import.meta.url).resolve('@hawser/edgecore'), '../../bundle');

describe('an edge over webtransport', function () {
  this.timeout(60_000);
  let site: ClusterSite;
  let edge: SiteEdge;

  before(async () => {
    site = await ClusterSite.open({ hub: { logLevel: 'error', listen: { webTransportPort: 0 } } });
  });

  after(() => site.close());

  it('joins, syncs and runs what is bound to it', async () => {
    edge = await site.edge(NODE, { transport: 'webtransport' });
    await site.objects.createAll([configMap('cm', 'text'), boundPod('first', NODE, ['cm'])]);
    await allRunning(site, ['first']);
    await edge.until(({ outbox }) => outbox.waiting === 0);
    await sameView(site, edge);
    const { session } = await edge.admin.status();
    assert.equal(session.state, 'up');
    assert.equal(session.current?.transport, 'webtransport');
    assert.equal(session.current.hub, `127.0.0.1:${site.webTransportPort()}`);
  });

  it('is cut off, and comes back with what came meanwhile', async () => {
    const { epoch } = (await edge.admin.status()).session;
    await site.link.cut();
    await site.objects.createAll([boundPod('second', NODE, ['cm'])]);
    await edge.until(({ session }) => session.state !== 'up');
    await site.link.heal();
    const { session } = await edge.until((status) => status.session.epoch > epoch);
    assert.equal(session.current?.transport, 'webtransport');
    await allRunning(site, ['first', 'second']);
    await edge.until(({ outbox }) => outbox.waiting === 0);
    await sameView(site, edge);
  });

  it('is the only one that loads what it takes', async () => {
    const names = (await readdir(BUNDLE)).filter((name) => name.endsWith('.js'));
    const texts = await Promise.all(names.map((name) => readFile(path.join(BUNDLE, name), 'utf8')));
    const holders = names.filter((_name, at) => texts[at]?.includes('Http2WebTransportClient') === true);
    assert.equal(holders.length, 1, `the library is in ${holders.join(', ')}`);
    const [holder = ''] = holders;
    const importers = texts.filter((text) => text.includes(holder));
    assert.ok(importers.length > 0);
    for (const text of importers) {
      const loads = text.split(`"./${holder}"`).length - 1;
      assert.equal(
        text.split(`import("./${holder}")`).length - 1,
        loads,
        'loaded when it is wanted, not before',
      );
    }
  });
});
