import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { EdgeCoreError } from '../../src/errors.ts';
import { tailOfLog } from '../../src/container-logs/tail-of-log.ts';
import { LogSite } from './log-site.ts';

describe('tailOfLog', () => {
  let site: LogSite;
  beforeEach(async () => {
    site = await LogSite.open();
  });
  afterEach(() => site.close());

  it('gives all of a short log, both streams', async () => {
    await site.write(site.lines(1, 'out') + site.lines(1, 'err', 'stderr'));
    assert.equal(await tailOfLog(site.path), 'out 0\nerr 1\n');
  });

  it('gives the last 80 lines', async () => {
    await site.write(site.lines(200));
    const expected = Array.from({ length: 80 }, (_, index) => `line ${120 + index}\n`).join('');
    assert.equal(await tailOfLog(site.path), expected);
  });

  it('gives the last 2048 bytes of them, and cuts no character apart', async () => {
    await site.write(site.lines(1, '€'.repeat(50_000)));
    const tail = await tailOfLog(site.path);
    assert.ok(Buffer.byteLength(tail) <= 2048 && Buffer.byteLength(tail) > 2044);
    assert.match(tail, /^€+ 0\n$/);
  });

  it('gives nothing where there is no log', async () => {
    assert.equal(await tailOfLog(site.path), '');
    assert.equal(await tailOfLog('/nowhere/at/all/0.log'), '');
  });

  it('goes back into rotated files', async () => {
    await site.write(site.lines(50), '0.log.20260101-000001');
    await site.write(site.lines(10));
    assert.equal((await tailOfLog(site.path)).split('\n').length, 61);
    await site.write('');
    assert.equal((await tailOfLog(site.path)).split('\n').length, 51);
  });

  it('follows no link', async () => {
    await symlink('/etc/passwd', site.path);
    await assert.rejects(
      tailOfLog(site.path),
      (error) => error instanceof EdgeCoreError && error.code === 'ERR_EDGECORE_CONTAINER_LOG',
    );
  });
});
