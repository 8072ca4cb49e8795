import assert from 'node:assert/strict';
import { Counter, Registry } from 'prom-client';
import { OperationsServer } from '../../src/ops/operations-server.ts';

describe('OperationsServer', () => {
  const host = '127.0.0.1';
  let reasons: string[] = [];
  let server: OperationsServer;

  beforeEach(async () => {
    reasons = [];
    const registry = new Registry();
    new Counter({ name: 'things_total', help: 'Things.', registers: [registry] }).inc(3);
    server = new OperationsServer({ host, port: 0, registry, unready: () => reasons });
    await server.start();
  });
  afterEach(() => server.stop());

  const get = async (path: string, method = 'GET'): Promise<{ status: number; text: string }> => {
    const response = await fetch(`http://${host}:${server.port}${path}`, { method });
    return { status: response.status, text: await response.text() };
  };

  it('is healthy while the process works, and ready when nothing is missing', async () => {
    assert.deepEqual(await get('/healthz'), { status: 200, text: 'ok\n' });
    assert.deepEqual(await get('/livez'), { status: 200, text: 'ok\n' });
    assert.deepEqual(await get('/readyz'), { status: 200, text: 'ok\n' });
    reasons = ['no cluster', 'no caches'];
    assert.deepEqual(await get('/readyz'), { status: 503, text: 'not ready:\n- no cluster\n- no caches\n' });
    assert.equal((await get('/healthz')).status, 200);
    assert.equal((await get('/livez')).status, 200);
  });

  it('shows metrics', async () => {
    const { status, text } = await get('/metrics');
    assert.equal(status, 200);
    assert.match(text, /^things_total 3$/m);
  });

  it('offers nothing else', async () => {
    assert.equal((await get('/debug')).status, 404);
    assert.equal((await get('/healthz', 'POST')).status, 405);
  });

  it('says which address it cannot have', async () => {
    const second = new OperationsServer({
      host,
      port: server.port,
      registry: new Registry(),
      unready: () => [],
    });
    await assert.rejects(second.start(), {
      code: 'ERR_CLOUDCORE_LISTEN',
      message: new RegExp(String(server.port)),
    });
    await second.stop();
  });
});
