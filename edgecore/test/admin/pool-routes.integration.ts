import assert from 'node:assert/strict';
import { request } from 'node:http';
import path from 'node:path';
import { silentLogger } from '@hawser/seams';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { AdminClient } from '../../src/admin/admin-client.ts';
import { AdminServer, type AdminActions } from '../../src/admin/admin-server.ts';
import { PoolRoutes, type PoolRoutesOptions } from '../../src/admin/pool-routes.ts';
import type { LocalApiStatus } from '../../src/local-api/local-api-types.ts';
import type { PoolStatus } from '../../src/pool/pool-types.ts';

const POOL: PoolStatus = {
  ...{ pool: 'shop-1', node: 'till-2', state: 'LIVE', since: '2026-11-22T02:00:00Z', leader: 'till-1' },
  ...{ provisional: false, epoch: 3, ageSeconds: 1, members: [], resources: [], problems: [] },
};

const LOCAL_API: LocalApiStatus = {
  ...{ state: 'listening', addresses: ['127.0.0.1'], port: 10_260, certificate: 'PEM', pods: 'local' },
  problems: [],
};

describe('pool and local API on the admin socket', () => {
  let temp: TempDir;
  let socket: string;
  let server: AdminServer;
  let present: { -readonly [K in keyof PoolRoutesOptions]: ReturnType<PoolRoutesOptions[K]> };

  beforeEach(async () => {
    temp = await makeTempDir();
    present = { pool: undefined, localApi: undefined };
    socket = path.join(temp.path, 'e.sock');
    const actions = {} as AdminActions; // none of them is asked
    const pool = new PoolRoutes({ pool: () => present.pool, localApi: () => present.localApi });
    server = new AdminServer({ socket, actions, pool, log: silentLogger });
    await server.start();
  });
  afterEach(async () => {
    await server.stop();
    await temp.remove();
  });

  it('are shown as they are', async () => {
    present = { pool: { status: () => POOL }, localApi: { status: () => LOCAL_API } };
    const client = new AdminClient({ socket });
    assert.deepEqual(await client.pool(), POOL);
    assert.deepEqual(await client.localApi(), LOCAL_API);
  });

  it('are shown with what to do about problems', async () => {
    const problems = [
      { code: 'ERR_SYNC_FORGED', message: 'till-1 alters what it gives' },
      { code: 'ERR_OTHER', message: 'nobody knows' },
    ];
    present.pool = { status: () => ({ ...POOL, problems }) };
    const shown = (await new AdminClient({ socket }).pool())?.problems;
    assert.match(shown?.[0]?.remedy ?? '', /alters data/);
    assert.deepEqual(shown?.[1], problems[1]);
  });

  it('are not there at a node without either', async () => {
    const client = new AdminClient({ socket });
    assert.equal(await client.pool(), undefined);
    assert.equal(await client.localApi(), undefined);
    present.pool = { status: () => undefined };
    assert.equal(await client.pool(), undefined);
  });

  it('say what failed', async () => {
    const broken = (): never => {
      throw new Error('it broke');
    };
    present = { pool: { status: broken }, localApi: undefined };
    await assert.rejects(new AdminClient({ socket }).pool(), {
      code: 'ERR_EDGECORE_ADMIN',
      message: '500: it broke',
    });
  });

  it('cannot be changed', async () => {
    const status = await new Promise((resolve, reject) => {
      const asked = request({ socketPath: socket, method: 'POST', path: '/v1/pool', agent: false });
      asked.on('error', reject);
      asked.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.end('{}');
    });
    assert.equal(status, 405);
  });
});
