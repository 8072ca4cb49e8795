import assert from 'node:assert/strict';
import { findCgroups } from '../../src/cgroups/cgroup-mounts.ts';

const V1 = `25 30 0:22 / /sys rw,nosuid - sysfs sysfs rw
31 25 0:27 / /sys/fs/cgroup ro,nosuid,nodev - tmpfs tmpfs ro,mode=755
32 31 0:28 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:29 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd
36 31 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct
37 31 0:33 / /mnt/a\\040b rw,nosuid shared:16 - cgroup cgroup rw,memory,release_agent=/x
`;
const V2 = `25 30 0:22 / /sys rw,nosuid - sysfs sysfs rw
31 25 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec shared:9 - cgroup2 cgroup2 rw,nsdelegate
`;

describe('findCgroups', () => {
  it('finds every hierarchy of version 1, in a hybrid set-up too', () => {
    const found = findCgroups(V1, () => '');
    assert.deepEqual(found?.version === 1 && found.hierarchies, [
      { names: ['name=systemd'], folder: '/sys/fs/cgroup/systemd' },
      { names: ['cpu', 'cpuacct'], folder: '/sys/fs/cgroup/cpu,cpuacct' },
      { names: ['memory'], folder: '/mnt/a b' },
      // Runtimes make cgroups of pods there, too: somebody has to remove them.
      { names: ['unified'], folder: '/sys/fs/cgroup/unified' },
    ]);
    assert.deepEqual([...(found?.controllers ?? [])], ['name=systemd', 'cpu', 'cpuacct', 'memory']);
  });

  it('finds version 2, and its controllers', () => {
    const found = findCgroups(V2, (file) => (file.endsWith('cgroup.controllers') ? 'cpu memory\n' : ''));
    assert.deepEqual(found, {
      version: 2,
      folder: '/sys/fs/cgroup',
      controllers: new Set(['cpu', 'memory']),
    });
  });

  it('finds none where none are mounted', () =>
    assert.equal(
      findCgroups('', () => ''),
      undefined,
    ));
});
