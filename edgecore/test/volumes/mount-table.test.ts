import assert from 'node:assert/strict';
import { mountPoints } from '../../src/volumes/mount-table.ts';

describe('the table of mounts', () => {
  it('lists where something is mounted, in its order, and each mount on a mount', () => {
    const text = [
      '22 27 0:21 / /proc rw,relatime - proc proc rw',
      '36 35 98:0 /mnt1 /a/b rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue',
      '37 36 0:40 / /a/b rw,relatime - tmpfs tmpfs rw,size=64k',
      '',
    ].join('\n');
    assert.deepEqual(mountPoints(text), ['/proc', '/a/b', '/a/b']);
  });

  it('reads what is escaped', () => {
    const line = String.raw`50 27 0:40 / /a\040b\011c\012d\134e\134040 rw - tmpfs tmpfs rw`;
    assert.deepEqual(mountPoints(line), ['/a b\tc\nd\\e\\040']);
  });
});
