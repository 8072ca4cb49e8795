import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { digestOf, makeImage, makeLayer, writeOciArchive } from '../src/oci-image/oci-image.ts';
import { writeTar } from '../src/oci-image/tar-writer.ts';

const tar = (archive: Buffer, ...args: readonly string[]): string =>
  execFileSync('tar', ['-f', '-', ...args], { input: archive, encoding: 'utf8' });

describe('writeTar', () => {
  const archive = writeTar([
    { path: 'a', type: 'folder', mode: 0o700, uid: 1000, gid: 1001 },
    { path: 'a/text', content: 'hello' },
    { path: 'a/empty' },
    { path: 'a/block', content: 'x'.repeat(512) },
    { path: 'link', type: 'link', target: 'a/text' },
  ]);

  it('writes what tar reads', () => {
    const lines = tar(archive, '-tv', '--numeric-owner').trim().split('\n');
    assert.deepEqual(
      lines.map((line) => line.split(/\s+/).toSpliced(3, 2).join(' ')),
      [
        'drwx------ 1000/1001 0 a/',
        '-rw-r--r-- 0/0 5 a/text',
        '-rw-r--r-- 0/0 0 a/empty',
        '-rw-r--r-- 0/0 512 a/block',
        'lrw-r--r-- 0/0 0 link -> a/text',
      ],
    );
    assert.equal(tar(archive, '-xO', 'a/text'), 'hello');
    assert.equal(tar(archive, '-xO', 'a/block'), 'x'.repeat(512));
  });

  it('refuses what has no room in a header', () => {
    assert.throws(() => writeTar([{ path: 'p'.repeat(101) }]), RangeError);
    assert.throws(() => writeTar([{ path: 'p', type: 'link', target: 't'.repeat(101) }]), RangeError);
  });
});

describe('makeImage', () => {
  const layer = makeLayer([{ path: 'file', content: 'one' }]);
  const image = makeImage('hawser.test/one:1', [layer], { Cmd: ['sh'] });

  it('has the digests of what it is made of', () => {
    assert.equal(layer.digest, digestOf(layer.bytes));
    assert.equal(layer.diffId, digestOf(gunzipSync(layer.bytes)));
    const manifest = JSON.parse(image.manifest.bytes.toString()) as Record<string, unknown>;
    assert.deepEqual(manifest['config'], {
      mediaType: image.config.mediaType,
      digest: image.config.digest,
      size: image.config.bytes.length,
    });
    const sha = createHash('sha256').update(image.config.bytes).digest('hex');
    assert.equal(image.config.digest, `sha256:${sha}`);
  });

  it('is the same for the same arguments, and another one for others', () => {
    assert.deepEqual(makeImage('x:1', [makeLayer([{ path: 'file', content: 'one' }])], { Cmd: ['sh'] }), {
      ...image,
      name: 'x:1',
    });
    assert.notEqual(makeImage('x:1', [layer]).config.digest, image.config.digest);
  });

  it('is written to an archive with the others, blobs that they share once', () => {
    const archive = writeOciArchive([image, makeImage('hawser.test/two:2', [layer])]);
    const names = tar(archive, '-t').trim().split('\n');
    assert.equal(names.filter((name) => name.startsWith('blobs/sha256/') && !name.endsWith('/')).length, 5);
    const index = JSON.parse(tar(archive, '-xO', 'index.json')) as {
      manifests: { digest: string; annotations: Record<string, string> }[];
    };
    assert.equal(index.manifests[0]?.digest, image.manifest.digest);
    assert.deepEqual(
      index.manifests.map(({ annotations }) => annotations['io.containerd.image.name']),
      ['hawser.test/one:1', 'hawser.test/two:2'],
    );
  });
});
