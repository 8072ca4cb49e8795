import assert from 'node:assert/strict';
import { silentLogger, systemClock } from '@hawser/seams';
import { Registry } from '@hawser/seams/metrics';
import { eventually } from '@hawser/seams/testing';
import { DnsServer } from '../../src/dns/dns-server.ts';
import { LocalStore } from '../../src/local-store/local-store.ts';
import { PoolModel, SERVICES, SLICES } from '../local-store/pool-model.ts';
import { ask, lines, type At } from './dns-client.ts';

const NAME = 'db.shop.svc.cluster.local';

describe('names of a member of a pool', function () {
  this.timeout(20_000);

  let pool: PoolModel;
  let store: LocalStore;
  let server: DnsServer;
  let at: At;

  beforeEach(async () => {
    pool = new PoolModel(SERVICES, SLICES);
    pool.put(SERVICES, 'shop', 'db', { spec: { clusterIP: 'None', clusterIPs: ['None'] } });
    pool.put(SLICES, 'shop', 'db-a', {
      addressType: 'IPv4',
      metadata: { labels: { 'kubernetes.io/service-name': 'db' } },
      endpoints: [
        {
          ...{ addresses: ['10.1.0.1'], hostname: 'db-0', conditions: { ready: true, serving: true } },
          nodeName: 'n1',
          targetRef: { kind: 'Pod', namespace: 'shop', name: 'db-0', uid: 'uid-db-0' },
        },
      ],
      ports: [{ name: 'db', port: 5432, protocol: 'TCP' }],
    });
    store = new LocalStore({ pool, clock: systemClock });
    store.start();
    server = new DnsServer({
      ...{ store, registry: new Registry(), clock: systemClock, log: silentLogger },
      config: {
        dns: { listen: '127.0.0.1:0', clusterDomain: 'cluster.local', upstream: '127.0.0.1' },
        pods: { resolvConf: '' },
      },
      upstreamPort: 9,
    });
    await server.start();
    at = server.address ?? assert.fail('it does not listen');
  });
  afterEach(async () => {
    await server.stop();
    await store.close();
  });

  async function becomes(...addresses: readonly string[]): Promise<void> {
    const wanted = addresses.map((address) => `${NAME} 5 A ${address}`);
    await eventually(
      `it is ${addresses.join()}`,
      async () => lines((await ask(at, { name: NAME, type: 'A' })).answers).join() === wanted.join(),
      { deadlineMs: 10_000 },
    );
  }

  it('are failures until the replica is there, and then what it says', async () => {
    const { rcode } = await ask(at, { name: NAME, type: 'A' });
    assert.equal(rcode, 'SERVFAIL');
    await pool.commitAll();
    pool.tell();
    await becomes('10.1.0.1');
    assert.equal((await ask(at, { name: `x.${NAME}`, type: 'A' })).rcode, 'NXDOMAIN');
  });

  it('are where pods are now, after a start without a cloud', async () => {
    await pool.commitAll();
    pool.tell();
    await becomes('10.1.0.1');
    pool.offline({ 'uid-db-0': { ips: ['10.9.0.7'] } });
    await becomes('10.9.0.7');
    pool.offline(undefined);
    await becomes('10.1.0.1');
  });

  it('stay as they were where the node leaves its pool', async () => {
    await pool.commitAll();
    pool.tell();
    await becomes('10.1.0.1');
    pool.shared.clear();
    pool.tell();
    assert.equal((await ask(at, { name: NAME, type: 'A' })).rcode, 'NOERROR');
  });
});
