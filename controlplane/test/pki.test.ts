import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { FakeClock, makeTempDir, type TempDir } from '@hawser/seams/testing';
import { ControlPlaneError } from '../src/errors.ts';
import { ClusterPki, type PkiState } from '../src/pki/cluster-pki.ts';

const DAY_MS = 86_400_000;
const HOSTS = ['127.0.0.1', 'localhost'];

describe('keys and certificates', () => {
  let temp: TempDir;
  let dir: string;
  let clock: FakeClock;

  beforeEach(async () => {
    temp = await makeTempDir();
    dir = path.join(temp.path, 'pki');
    clock = new FakeClock({ wallMs: Date.UTC(2026, 5, 1) });
  });
  afterEach(() => temp.remove());

  const load = (hosts: readonly string[] = HOSTS): Promise<PkiState> =>
    new ClusterPki({ dir, hosts, clock }).load();
  const failsWith = (code: string) => (error: unknown) =>
    error instanceof ControlPlaneError && error.code === code;

  it('are made once, private to their owner, and fit together', async () => {
    const first = await load();
    assert.equal((await stat(dir)).mode & 0o777, 0o700);
    for (const name of await readdir(dir)) {
      assert.equal((await stat(path.join(dir, name))).mode & 0o777, 0o600, name);
    }
    assert.deepEqual((await readdir(dir)).sort(), [
      ...['admin.crt', 'admin.key', 'apiserver.crt', 'apiserver.key', 'ca.crt', 'ca.key', 'sa.key'],
    ]);
    const authority = new X509Certificate(first.authority.cert);
    const serving = new X509Certificate(first.serving.cert);
    const admin = new X509Certificate(first.admin.cert);
    assert.ok(authority.ca && authority.verify(authority.publicKey));
    for (const certificate of [serving, admin]) {
      assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
      assert.ok(!certificate.ca);
    }
    assert.ok(serving.checkIP('127.0.0.1') !== undefined && serving.checkHost('localhost') !== undefined);
    assert.match(admin.subject, /O=system:masters\nCN=kubernetes-admin/);
    const second = await load();
    const { controllers, kubeletClient } = first;
    assert.notEqual(second.controllers.cert, controllers.cert);
    assert.notEqual(second.kubeletClient.cert, kubeletClient.cert);
    assert.deepEqual({ ...second, controllers, kubeletClient }, first);
  });

  it('are renewed when a third of their life is left, by the same authority', async () => {
    const first = await load();
    await clock.advance(0);
    clock.jumpWall(200 * DAY_MS);
    assert.equal((await load()).serving.cert, first.serving.cert);
    clock.jumpWall(50 * DAY_MS);
    const later = await load();
    assert.notEqual(later.serving.cert, first.serving.cert);
    assert.notEqual(later.admin.cert, first.admin.cert);
    assert.deepEqual([later.authority, later.tokenKey], [first.authority, first.tokenKey]);
  });

  it('stay the same in memory too, and are renewed by the same authority', async () => {
    const pki = new ClusterPki({ hosts: HOSTS, clock });
    const first = await pki.load();
    assert.deepEqual(await pki.load(), first);
    clock.jumpWall(250 * DAY_MS);
    const later = await pki.load();
    assert.deepEqual([later.authority, later.tokenKey], [first.authority, first.tokenKey]);
    for (const name of ['serving', 'admin', 'controllers'] as const) {
      assert.notEqual(later[name].cert, first[name].cert, name);
    }
    assert.equal(pki.state, later);
  });

  it('are issued anew for a further name', async () => {
    const first = await load();
    const second = await load([...HOSTS, 'shop.example']);
    assert.notEqual(second.serving.cert, first.serving.cert);
    assert.ok(new X509Certificate(second.serving.cert).checkHost('shop.example') !== undefined);
    assert.equal((await load()).serving.cert, second.serving.cert);
  });

  it('are issued anew after a renewal that was cut off between its two files', async () => {
    const first = await load();
    await writeFile(path.join(dir, 'apiserver.key'), first.admin.key);
    const second = await load();
    assert.notEqual(second.serving.cert, first.serving.cert);
  });

  it('are never replaced silently when the authority or the token key is damaged', async () => {
    await load();
    const caKey = await readFile(path.join(dir, 'ca.key'), 'utf8');
    await writeFile(path.join(dir, 'ca.key'), 'garbage');
    await assert.rejects(load(), failsWith('ERR_CONTROLPLANE_PKI'));
    await writeFile(path.join(dir, 'ca.key'), caKey);
    await writeFile(path.join(dir, 'sa.key'), 'garbage');
    await assert.rejects(load(), failsWith('ERR_CONTROLPLANE_PKI'));
  });

  it('refuse an authority out of its time, and a folder that cannot be made', async () => {
    await load();
    clock.jumpWall(-30 * DAY_MS);
    await assert.rejects(load(), failsWith('ERR_CONTROLPLANE_CA_EXPIRED'));
    const file = path.join(temp.path, 'file');
    await writeFile(file, '');
    await chmod(file, 0o600);
    const below = new ClusterPki({ dir: path.join(file, 'pki'), hosts: HOSTS, clock });
    await assert.rejects(below.load(), failsWith('ERR_CONTROLPLANE_DATA_DIR'));
  });
});
