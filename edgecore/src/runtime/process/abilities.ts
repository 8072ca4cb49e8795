import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Programs that containers are started with, by name: where they are. All but `setpriv` are for namespaces only. */
export type Programs = Readonly<Record<(typeof PROGRAMS)[number], string | undefined>>;

/** What a supervisor can do on this machine, as whoever it runs. */
export interface Abilities {
  readonly uid: number;
  readonly gids: readonly number[];
  /**
   * `namespace`: each container has its mounts in a mount namespace of its own. `links`: it cannot be had here, and
   * they are symbolic links in a folder.
   */
  readonly mounts: 'namespace' | 'links';
  /** Why it is links; empty: it is not. */
  readonly whyLinks: string;
  /** Whether `setpriv` of util-linux is there. */
  readonly setpriv: boolean;
}

const PROGRAMS = ['unshare', 'nsenter', 'setpriv', 'mount', 'chroot', 'env', 'sh', 'script', 'stty'] as const;
const FOLDERS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const PROBE_MS = 5_000;
const MAX_WHY = 200;

/** Finds the programs of this machine; what a container's PATH says is another thing. */
export function findPrograms(): Programs {
  const find = (name: string): string | undefined =>
    FOLDERS.map((folder) => path.join(folder, name)).find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  return Object.fromEntries(PROGRAMS.map((name) => [name, find(name)])) as Programs; // made from the list of the type
}

/** What `unshare` is told so that mounts can be made: as another user than root that needs a user namespace. */
export function namespaceFlags(uid: number): readonly string[] {
  return uid === 0 ? ['--mount'] : ['--user', '--map-current-user', '--keep-caps', '--mount'];
}

/**
 * Tries whether mount namespaces can be had, by making one as a container's.
 * @param scratch a folder that is there, to mount at
 * @param links never use them
 */
export async function findAbilities(programs: Programs, scratch: string, links = false): Promise<Abilities> {
  const uid = process.getuid?.() ?? 0;
  const gids = [...new Set([process.getgid?.() ?? 0, ...(process.getgroups?.() ?? [])])];
  const whyLinks = links ? 'the configuration says so' : await whyNoNamespaces(programs, uid, scratch);
  return {
    ...{ uid, gids, whyLinks },
    mounts: whyLinks === '' ? 'namespace' : 'links',
    setpriv: programs.setpriv !== undefined,
  };
}

async function whyNoNamespaces(programs: Programs, uid: number, scratch: string): Promise<string> {
  const { unshare, nsenter, setpriv, mount, chroot, env, sh } = programs;
  const needed = { unshare, nsenter, setpriv, mount, chroot, env, sh };
  const missing = Object.entries(needed).filter(([, file]) => file === undefined);
  if (unshare === undefined || sh === undefined || missing.length > 0)
    return `there is no program ${missing.map(([name]) => name).join(', ')}`;
  const script = `"${mount}" -n --rbind / "$1" && exec "${chroot}" "$1" "${setpriv}" --inh-caps=-all --ambient-caps=-all true`;
  return new Promise((resolve) => {
    const child = spawn(unshare, [...namespaceFlags(uid), sh, '-c', script, 'sh', scratch], {
      ...{ stdio: ['ignore', 'ignore', 'pipe'], timeout: PROBE_MS, killSignal: 'SIGKILL' },
      env: { PATH: FOLDERS.join(':'), LC_ALL: 'C' },
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => {
      if (said.length < MAX_WHY) said += chunk.toString();
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code) => {
      const why = said.trim().split('\n')[0]?.slice(0, MAX_WHY) ?? '';
      resolve(code === 0 ? '' : why === '' ? 'mount namespaces cannot be made' : why);
    });
  });
}
