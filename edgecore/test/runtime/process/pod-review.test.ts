import assert from 'node:assert/strict';
import type { LinuxSecurity } from '../../../src/runtime/container-config.ts';
import type { Abilities } from '../../../src/runtime/process/abilities.ts';
import { reviewContainer, reviewSandbox } from '../../../src/runtime/process/pod-review.ts';
import { makeContainerConfig, makeSandboxConfig } from '../../../testing/index.ts';

const USER: Abilities = { uid: 1000, gids: [1000, 27], mounts: 'namespace', whyLinks: '', setpriv: true };
const ROOT: Abilities = { ...USER, uid: 0, gids: [0] };

describe('what processes of the host cannot give a pod', () => {
  const { security } = makeContainerConfig();
  const cases: readonly [
    what: string,
    change: Partial<LinuxSecurity>,
    user: RegExp | undefined,
    root: RegExp | undefined,
  ][] = [
    ['nothing', {}, undefined, undefined],
    ['its own user', { runAsUser: 1000, runAsGroup: 1000, supplementalGroups: [27] }, undefined, undefined],
    [
      'another user',
      { runAsUser: 2000 },
      /runAsUser 2000: needs root; the edge core is user 1000/,
      undefined,
    ],
    ['another group', { runAsGroup: 2000 }, /runAsGroup 2000/, undefined],
    ['fsGroup', { supplementalGroups: [27, 3000] }, /fsGroup 3000/, undefined],
    ['a user by name', { runAsUsername: 'web' }, /user web by name/, /user web by name/],
    ['privileged', { privileged: true }, /privileged: needs root/, undefined],
    ['a capability', { capabilities: { add: ['NET_ADMIN'], drop: [] } }, /NET_ADMIN: need root/, undefined],
    ['no capabilities', { capabilities: { add: [], drop: ['ALL'] } }, undefined, undefined],
    ['no new privileges', { noNewPrivileges: true }, undefined, undefined],
    [
      'a root that is read-only',
      { readOnlyRootFilesystem: true },
      /readOnlyRootFilesystem/,
      /readOnlyRootFilesystem/,
    ],
    [
      'a seccomp profile',
      { seccomp: { type: 'localhost', localhost: '/p' } },
      /seccomp profile/,
      /seccomp profile/,
    ],
    ['an AppArmor profile', { appArmor: { type: 'localhost', localhost: 'p' } }, /AppArmor/, /AppArmor/],
    [
      'SELinux',
      { seLinux: { user: '', role: '', type: 't', level: '' } },
      /seLinuxOptions/,
      /seLinuxOptions/,
    ],
  ];
  for (const [what, change, user, root] of cases)
    it(`judges ${what}`, () => {
      for (const [abilities, expected] of [
        [USER, user],
        [ROOT, root],
      ] as const) {
        const { refused } = reviewContainer(
          makeContainerConfig({ security: { ...security, ...change } }),
          abilities,
        );
        if (expected === undefined) assert.deepEqual(refused, []);
        else assert.match(refused.join('; '), expected);
      }
    });

  it('needs setpriv for what only it can do', () => {
    const config = makeContainerConfig({ security: { ...security, noNewPrivileges: true } });
    assert.match(reviewContainer(config, { ...USER, setpriv: false }).refused.join(), /needs setpriv/);
  });

  it('refuses terminals, devices, and mounts that lead back to the host', () => {
    const mounts = [{ hostPath: '/a', containerPath: '/a', propagation: 'bidirectional' }] as const;
    const { refused } = reviewContainer(makeContainerConfig({ tty: true, mounts }), ROOT);
    assert.match(refused.join('; '), /tty.*Bidirectional of \/a/);
  });

  it('says which limits and profiles are not kept', () => {
    const { refused, missed } = reviewContainer(
      makeContainerConfig({
        resources: { cpuQuota: 1000, memoryLimitBytes: 1 },
        security: { ...security, seccomp: { type: 'runtime-default' } },
      }),
      USER,
    );
    assert.deepEqual(refused, []);
    assert.deepEqual(missed, ['limits of cpu and memory are not kept', 'no seccomp profile']);
  });

  it('refuses sysctls and runtime classes of a sandbox, and says what is not kept of any', () => {
    const config = makeSandboxConfig({ sysctls: { 'net.core.somaxconn': '1' }, runtimeHandler: 'kata' });
    assert.match(
      reviewSandbox(config, ROOT).refused.join('; '),
      /handler kata; sysctls \(net.core.somaxconn\)/,
    );
    const links = reviewSandbox(makeSandboxConfig(), { ...USER, mounts: 'links', whyLinks: 'no unshare' });
    assert.match(links.missed.join('; '), /nothing keeps them apart.*on the disk.*HAWSER_MOUNTS.*no unshare/);
  });
});
