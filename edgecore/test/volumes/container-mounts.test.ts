import assert from 'node:assert/strict';
import { ContainerError } from '../../src/pods/container-error.ts';
import type { VolumeMount } from '../../src/pods/pod.ts';
import type { ContainerMount } from '../../src/runtime/container-config.ts';
import { containerMount, type ResolvedMount } from '../../src/volumes/container-mounts.ts';

const env = new Map([
  ['POD', 'web-1'],
  ['EMPTY', ''],
  ['UP', '../..'],
]);

function resolve(
  mount: Partial<VolumeMount>,
  wish: { volumeReadOnly?: boolean; rro?: boolean } = {},
): ResolvedMount {
  return containerMount({
    container: { name: 'main' },
    mount: { name: 'data', mountPath: '/data', ...mount },
    volume: { hostPath: '/v', readOnly: wish.volumeReadOnly ?? false },
    env,
    recursiveReadOnly: wish.rro ?? false,
  });
}

describe('mounts of containers', () => {
  const plain = { hostPath: '/v', containerPath: '/data', readOnly: false };
  const cases: readonly (readonly [string, Partial<VolumeMount>, ContainerMount, object?])[] = [
    ['as it is', {}, plain],
    ['a relative path', { mountPath: 'data' }, plain],
    ['read-only', { readOnly: true }, { ...plain, readOnly: true }],
    ['of a volume that is read-only', {}, { ...plain, readOnly: true }, { volumeReadOnly: true }],
    ['no propagation', { mountPropagation: 'None' }, plain],
    [
      'from the host',
      { mountPropagation: 'HostToContainer' },
      { ...plain, propagation: 'host-to-container' },
    ],
    ['both ways', { mountPropagation: 'Bidirectional' }, { ...plain, propagation: 'bidirectional' }],
    [
      'recursively read-only if possible, and it is not',
      { readOnly: true, recursiveReadOnly: 'IfPossible' },
      { ...plain, readOnly: true },
    ],
    [
      'recursively read-only if possible, and it is',
      { readOnly: true, recursiveReadOnly: 'IfPossible' },
      { ...plain, readOnly: true, recursiveReadOnly: true },
      { rro: true },
    ],
    [
      'recursively read-only',
      { readOnly: true, recursiveReadOnly: 'Enabled' },
      { ...plain, readOnly: true, recursiveReadOnly: true },
      { rro: true },
    ],
    ['not recursively read-only', { recursiveReadOnly: 'Disabled' }, plain, { rro: true }],
  ];
  for (const [name, mount, expected, wish] of cases) {
    it(name, () => assert.deepEqual(resolve(mount, wish).mount, expected));
  }

  const paths: readonly (readonly [Partial<VolumeMount>, string])[] = [
    [{}, ''],
    [{ subPath: '' }, ''],
    [{ subPath: 'a/b' }, 'a/b'],
    [{ subPath: '$(POD)' }, '$(POD)'],
    [{ subPathExpr: 'logs/$(POD)' }, 'logs/web-1'],
    [{ subPathExpr: '$$(POD)/$(POD)' }, '$(POD)/web-1'],
    [{ subPath: 'a..b/...' }, 'a..b/...'],
  ];
  for (const [mount, subPath] of paths) {
    it(`sub-path ${JSON.stringify(mount)}`, () => assert.equal(resolve(mount).subPath, subPath));
  }

  const wish = 'volume "data" requested recursive read-only mode, but it is not';
  const refused: readonly (readonly [Partial<VolumeMount>, string, object?])[] = [
    [{ subPath: '/a' }, 'error SubPath `/a` must not be an absolute path'],
    [{ subPath: 'a/../b' }, "unable to provision SubPath `a/../b`: must not contain '..'"],
    [{ subPathExpr: '$(UP)/etc' }, "unable to provision SubPath `../../etc`: must not contain '..'"],
    [{ subPathExpr: '$(NONE)/$(EMPTY)/$(POD)' }, 'missing value for EMPTY, NONE'],
    [{ recursiveReadOnly: 'Enabled' }, `${wish} read-only`, { rro: true }],
    [{ recursiveReadOnly: 'Enabled', readOnly: true }, `${wish} supported by the runtime`],
    [
      { recursiveReadOnly: 'Enabled', readOnly: true, mountPropagation: 'HostToContainer' },
      `${wish} compatible with propagation "HostToContainer"`,
      { rro: true },
    ],
    [{ recursiveReadOnly: 'Maybe', readOnly: true }, 'unknown recursive read-only mode "Maybe"'],
  ];
  for (const [mount, message, given] of refused) {
    it(`refuses ${JSON.stringify(mount)}`, () =>
      assert.throws(
        () => resolve(mount, given),
        (error) =>
          error instanceof ContainerError &&
          error.reason === 'CreateContainerConfigError' &&
          error.message === message,
      ));
  }

  it('refuses a volume that is not there', () => {
    const mount = { name: 'gone', mountPath: '/x' };
    assert.throws(
      () =>
        containerMount({
          container: { name: 'main' },
          mount,
          volume: undefined,
          env,
          recursiveReadOnly: false,
        }),
      { message: 'cannot find volume "gone" to mount into container "main"' },
    );
  });
});
