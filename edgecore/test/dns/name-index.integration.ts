import assert from 'node:assert/strict';
import { MemoryStore } from '@hawser/kube';
import { eventually } from '@hawser/seams/testing';
import { HTTPS, putService, putSlice, removeService, removeSlice } from './cluster-objects.ts';
import { ask, lines } from './dns-client.ts';
import { startDns, type DnsSite } from './dns-site.ts';

describe('names that follow the store', () => {
  let site: DnsSite | undefined;

  afterEach(async () => {
    await site?.server.stop();
    site = undefined;
  });

  /** Waits until a name has exactly these addresses; none: until it is not there. */
  async function becomes(name: string, ...addresses: string[]): Promise<void> {
    const at = site?.at ?? assert.fail();
    const full = `${name}.svc.cluster.local`;
    const wanted = addresses.map((address) => `${full} 5 A ${address}`).sort();
    let last: unknown;
    await eventually(`${name} is ${addresses.join()}`, async () => {
      const answer = await ask(at, { name: full, type: 'A', udpBytes: 1232 });
      last = [answer.rcode, lines(answer.answers)];
      if (addresses.length === 0) return answer.rcode === 'NXDOMAIN';
      return lines(answer.answers).join() === wanted.join();
    }).catch((error: unknown) => assert.fail(`${String(error)}: ${JSON.stringify(last)}`));
  }

  it('come, change and go with Services', async () => {
    site = await startDns();
    const { store } = site;
    await becomes('web.shop');
    await putService(store, 'shop/web', { clusterIP: '10.3.1.1', ports: [HTTPS] });
    await becomes('web.shop', '10.3.1.1');
    await putService(store, 'shop/web', { clusterIP: '10.3.1.2', ports: [HTTPS] });
    await becomes('web.shop', '10.3.1.2');
    await removeService(store, 'shop/web');
    await becomes('web.shop');
    const answer = await ask(site.at, { name: 'shop.svc.cluster.local', type: 'A' });
    assert.equal(answer.rcode, 'NXDOMAIN', 'the namespace went with its last Service');
  });

  it('come, change and go with slices, whichever comes first', async () => {
    site = await startDns();
    const { store } = site;
    await putSlice(store, 'shop/a', { service: 'web', endpoints: [{ addresses: ['10.1.0.1'] }] });
    await putService(store, 'shop/web', { clusterIP: 'None' });
    await becomes('web.shop', '10.1.0.1');
    await putSlice(store, 'shop/b', {
      service: 'web',
      endpoints: [{ addresses: ['10.1.0.1'] }, { addresses: ['10.1.0.2'] }],
    });
    await becomes('web.shop', '10.1.0.1', '10.1.0.2');
    await putSlice(store, 'shop/a', { service: 'other', endpoints: [{ addresses: ['10.1.0.3'] }] });
    await putSlice(store, 'shop/b', { service: 'web', endpoints: [{ addresses: ['10.1.0.2'] }] });
    await becomes('web.shop', '10.1.0.2');
    await putService(store, 'shop/other', { clusterIP: 'None' });
    await becomes('other.shop', '10.1.0.3');
    const sleeping = { addresses: ['10.1.0.2'], conditions: { ready: false } };
    await putSlice(store, 'shop/b', { service: 'web', endpoints: [sleeping] });
    await becomes('web.shop');
    await putService(store, 'shop/web', { clusterIP: 'None', publishNotReadyAddresses: true });
    await becomes('web.shop', '10.1.0.2');
    await removeSlice(store, 'shop/b');
    await becomes('web.shop');
  });

  it('have the older annotation for endpoints that are not ready', async () => {
    site = await startDns();
    const { store } = site;
    const tolerant = { 'service.alpha.kubernetes.io/tolerate-unready-endpoints': 'true' };
    await putService(store, 'shop/web', { clusterIP: 'None' }, tolerant);
    const sleeping = { addresses: ['10.1.0.2'], conditions: { ready: false } };
    await putSlice(store, 'shop/b', { service: 'web', endpoints: [sleeping] });
    await becomes('web.shop', '10.1.0.2');
  });

  it('change of kind with their Service', async () => {
    site = await startDns();
    const { store } = site;
    await putSlice(store, 'shop/a', { service: 'web', endpoints: [{ addresses: ['10.1.0.1'] }] });
    await putService(store, 'shop/web', { clusterIP: '10.3.1.1' });
    await becomes('web.shop', '10.3.1.1');
    await putService(store, 'shop/web', { clusterIP: 'None' });
    await becomes('web.shop', '10.1.0.1');
    await putService(store, 'shop/web', { type: 'ExternalName', externalName: 'a.shop.svc.cluster.local' });
    await putService(store, 'shop/a', { clusterIP: '10.3.1.9' });
    await becomes('a.shop', '10.3.1.9');
    const at = site.at;
    await eventually('it is an alias', async () => {
      const answer = await ask(at, { name: 'web.shop.svc.cluster.local', type: 'A' });
      return lines(answer.answers).length === 2;
    });
  });

  it('survive more changes at once than a watch takes', async () => {
    const store = new MemoryStore();
    site = await startDns({ store });
    const writes = Array.from({ length: 11_000 }, (_, index) =>
      putService(store, `shop/s-${index}`, { clusterIP: `10.9.${index >> 8}.${index & 255}` }),
    );
    await Promise.all(writes);
    await becomes('s-10999.shop', '10.9.42.247');
    assert.equal(await site.figure('hawser_dns_services'), 11_000);
  });

  it('take nothing that is no name or no address', async () => {
    site = await startDns();
    const { store } = site;
    await putService(store, 'shop/web', { clusterIP: 'None', ports: 'many' });
    await putService(store, 'shop/odd', { clusterIP: '999.1.1.1' });
    await putService(store, `shop/${'x'.repeat(64)}`, { clusterIP: '10.3.1.1' });
    await putSlice(store, 'shop/a', {
      service: 'web',
      ports: [{ name: 'a.b', port: 1 }, { name: 'x', port: 70_000 }, { port: 'y' }, 'z' as unknown as object],
      endpoints: [
        { addresses: ['no address', '::1%lo', '10.1.0.1'], hostname: 'two.labels' },
        undefined as unknown as { addresses: [] },
        { addresses: 'text' as unknown as [] },
      ],
    });
    await becomes('web.shop', '10.1.0.1');
    await becomes('10-1-0-1.web.shop', '10.1.0.1');
    await becomes('odd.shop');
    await becomes('x'.repeat(64).slice(1) + '.shop');
  });

  it('need little memory: 1,000 Services, 5,000 endpoints', async function () {
    this.timeout(30_000);
    assert.ok(global.gc, 'run with --expose-gc');
    const store = new MemoryStore();
    for (let index = 0; index < 1000; index += 1) {
      const clusterIP = index < 500 ? 'None' : `10.3.${index >> 8}.${index & 255}`;
      await putService(store, `ns-${index % 20}/service-${index}`, { clusterIP, ports: [HTTPS] });
      const endpoints = Array.from({ length: 5 }, (_, one) => ({
        addresses: [`10.1.${(index * 5 + one) >> 8}.${(index * 5 + one) & 255}`],
        conditions: { ready: true },
      }));
      await putSlice(store, `ns-${index % 20}/service-${index}-abcde`, {
        ...{ service: `service-${index}`, ports: [HTTPS], endpoints },
      });
    }
    global.gc();
    const beforeBytes = process.memoryUsage().heapUsed;
    const startedMs = performance.now();
    site = await startDns({ store });
    const tookMs = performance.now() - startedMs;
    global.gc();
    const takenBytes = process.memoryUsage().heapUsed - beforeBytes;
    assert.equal(await site.figure('hawser_dns_endpoints'), 5000);
    assert.ok(takenBytes < 3 * 2 ** 20, `${takenBytes} bytes`);
    assert.ok(tookMs < 2000, `${tookMs} ms`);
    await becomes('service-7.ns-7', ...[35, 36, 37, 38, 39].map((one) => `10.1.0.${one}`));
    const reverse = await ask(site.at, { name: '35.0.1.10.in-addr.arpa', type: 'PTR' });
    assert.deepEqual(lines(reverse.answers), [
      '35.0.1.10.in-addr.arpa 5 PTR 10-1-0-35.service-7.ns-7.svc.cluster.local',
    ]);
  });
});
