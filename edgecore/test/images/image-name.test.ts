import assert from 'node:assert/strict';
import { fullImageName, parseImageName } from '../../src/images/image-name.ts';
import { pullPolicy } from '../../src/images/pull-policy.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('parseImageName', () => {
  const valid: readonly (readonly [text: string, full: string])[] = [
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1', 'docker.io/library/busybox:1'],
    ['team/app', 'docker.io/team/app:latest'],
    ['docker.io/busybox', 'docker.io/library/busybox:latest'],
    ['index.docker.io/team/app:2', 'docker.io/team/app:2'],
    ['localhost/app', 'localhost/app:latest'],
    ['registry.example/app', 'registry.example/app:latest'],
    ['registry.example:5000/a/b/c:v1.2-rc_3', 'registry.example:5000/a/b/c:v1.2-rc_3'],
    ['[fd00::1]:5000/app:1', '[fd00::1]:5000/app:1'],
    [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`],
    [`registry.example/app:1@${DIGEST}`, `registry.example/app:1@${DIGEST}`],
    ['a__b/c-d--e.f', 'docker.io/a__b/c-d--e.f:latest'],
    ['127.0.0.1:40001/team/app:1', '127.0.0.1:40001/team/app:1'],
  ];
  for (const [text, full] of valid)
    it(`reads ${text}`, () => {
      assert.equal(parseImageName(text).full, full);
      assert.equal(fullImageName(full), full);
    });

  it('names the parts', () => {
    const name = parseImageName(`registry.example:5000/a/b:1@${DIGEST}`);
    assert.equal(name.registry, 'registry.example:5000');
    assert.equal(name.repository, 'a/b');
    assert.equal(name.tag, '1');
    assert.equal(name.digest, DIGEST);
    assert.equal(parseImageName(`a@${DIGEST}`).tag, undefined);
  });

  it('asks a runtime for what was written, with the tag that it means', () => {
    assert.equal(parseImageName('busybox').written, 'busybox:latest');
    assert.equal(parseImageName('registry.example:5000/a').written, 'registry.example:5000/a:latest');
    assert.equal(parseImageName('a:1').written, 'a:1');
    assert.equal(parseImageName(`a@${DIGEST}`).written, `a@${DIGEST}`);
  });

  const invalid: readonly (readonly [text: string, problem: RegExp])[] = [
    ['', /invalid reference format/],
    ['Busybox', /must be lowercase/],
    ['registry.example/Team/app', /must be lowercase/],
    ['a b', /invalid reference format/],
    ['app:', /invalid tag/],
    ['app:tag with space', /invalid tag/],
    [`app:${'t'.repeat(129)}`, /invalid tag/],
    ['app@sha256:abc', /invalid digest/],
    [`app@${DIGEST}@${DIGEST}`, /invalid digest/],
    ['a'.repeat(64), /64 hexadecimal digits/],
    ['registry.example/', /invalid reference format/],
    ['-registry.example/app', /invalid reference format/],
    ['a//b', /invalid reference format/],
    [`registry.example/${'b'.repeat(250)}`, /too long/],
    ['https://registry.example/app', /invalid/],
  ];
  for (const [text, problem] of invalid)
    it(`refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
      assert.throws(() => parseImageName(text), problem);
      assert.equal(fullImageName(text), text);
    });
});

describe('pullPolicy', () => {
  const cases: readonly (readonly [image: string, policy: string])[] = [
    ['app', 'Always'],
    ['app:latest', 'Always'],
    ['app:1', 'IfNotPresent'],
    [`app@${DIGEST}`, 'IfNotPresent'],
  ];
  for (const [image, policy] of cases)
    it(`is ${policy} for ${image.slice(0, 20)}`, () => {
      assert.equal(pullPolicy({ name: 'main', image }, parseImageName(image)), policy);
    });

  it('is what the container says', () => {
    const image = parseImageName('app');
    assert.equal(pullPolicy({ name: 'main', imagePullPolicy: 'Never' }, image), 'Never');
  });
});
