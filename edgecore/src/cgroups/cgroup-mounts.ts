import { readFileSync } from 'node:fs';

/** Where the cgroups of this machine are. */
export type CgroupMounts =
  | {
      readonly version: 1;
      /**
       * Every hierarchy: its controllers (`cpu`, `name=systemd`) and its folder. In a hybrid set-up that of version 2
       * is among them, as `unified`: it limits nothing, but runtimes make a cgroup in it, too.
       */
      readonly hierarchies: readonly { readonly names: readonly string[]; readonly folder: string }[];
      readonly controllers: ReadonlySet<string>;
    }
  | {
      readonly version: 2;
      readonly folder: string;
      readonly controllers: ReadonlySet<string>;
    };

/** What options of a cgroup v1 mount are, beside names of controllers. */
const NO_CONTROLLER = /^(rw|ro|xattr|clone_children|noprefix|nosuid|nodev|noexec|relatime|release_agent=.*)$/;

/** Stands for the hierarchy of version 2 where those of version 1 are the ones that count. */
const UNIFIED = 'unified';

/**
 * Finds them in a list of mounts; undefined: there are none. Version 2 where nothing of version 1 is there: in a hybrid
 * set-up runtimes use version 1, and so do we.
 * @param mountinfo `/proc/self/mountinfo`
 * @param read the text of a file, empty where it cannot be read
 * Source: cgroups(7); proc_pid_mountinfo(5); libcontainer, cgroups.GetCgroupMounts and
 * cgroups.IsCgroup2HybridMode.
 */
export function findCgroups(mountinfo: string, read: (file: string) => string): CgroupMounts | undefined {
  const mounts = mountinfo.split('\n').map(parseMount);
  const second = mounts.find((mount) => mount?.type === 'cgroup2');
  const first = mounts.filter((mount) => mount?.type === 'cgroup').filter((mount) => mount !== undefined);
  if (first.length > 0) {
    const hierarchies = first.map(({ folder, options }) => ({
      names: options.split(',').filter((option) => !NO_CONTROLLER.test(option)),
      folder,
    }));
    const controllers = new Set(hierarchies.flatMap(({ names }) => names));
    const beside = second === undefined ? [] : [{ names: [UNIFIED], folder: second.folder }];
    return { version: 1, hierarchies: [...hierarchies, ...beside], controllers };
  }
  if (second === undefined) return undefined;
  const controllers = read(`${second.folder}/cgroup.controllers`).trim().split(/\s+/).filter(Boolean);
  return { version: 2, folder: second.folder, controllers: new Set(controllers) };
}

interface Mount {
  readonly folder: string;
  readonly type: string;
  /** Of the file system as a whole. */
  readonly options: string;
}

/** `36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/root rw,errors=continue` */
function parseMount(line: string): Mount | undefined {
  const [before = '', after = ''] = line.split(' - ');
  const folder = before.split(' ')[4];
  const [type = '', , options = ''] = after.split(' ');
  if (folder === undefined) return undefined;
  return { folder: folder.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => unescape(octal)), type, options };
}

function unescape(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

/** {@link findCgroups} of this process. */
export function findOwnCgroups(): CgroupMounts | undefined {
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return ''; // no such file: no cgroups, which whoever asks says
    }
  };
  return findCgroups(read('/proc/self/mountinfo'), read);
}
