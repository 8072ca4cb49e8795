import { accessSync, constants, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ContainerConfig, ContainerMount, LinuxSecurity, SandboxConfig } from '../container-config.ts';
import { RuntimeError } from '../runtime-error.ts';
import { namespaceFlags, type Abilities, type Programs } from './abilities.ts';
import { CONTAINER_VARIABLE } from './container-members.ts';
import { makeContainerLinks, makeContainerRoot } from './container-root.ts';

/** A command, ready to be started. */
export interface Launch {
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Whether it says on descriptor 3 why the program could not be started, and closes that when it was. */
  readonly tells: boolean;
}

/** A container, as it is launched. */
export interface LaunchInput {
  readonly id: string;
  readonly sandbox: SandboxConfig;
  readonly config: ContainerConfig;
  /** A folder of its own. */
  readonly folder: string;
  readonly abilities: Abilities;
  readonly programs: Programs;
}

/** Where the mounts of a container are, in front of their paths: empty where they are at these very paths. */
const MOUNTS_VARIABLE = 'HAWSER_MOUNTS';
const RESOLV_CONF = '/etc/resolv.conf';
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * Makes ready on the disk what a container needs, and says how it is started.
 * @throws RuntimeError its program or its working directory is not there, or its mounts cannot be made
 */
export async function launchContainer(input: LaunchInput): Promise<Launch> {
  const { id, config, folder, abilities, programs } = input;
  const env = environmentOf(input);
  const [program, ...args] = [...config.command, ...config.args];
  if (program === undefined)
    throw new RuntimeError('ERR_EDGECORE_RUNTIME', 'no command is given', { about: id });
  checkProgram(program, env, config);
  const cwd = config.workingDir === '' ? '/' : config.workingDir;
  const own = privileges(config.security, abilities, programs);
  try {
    if (abilities.mounts === 'links') {
      checkFolder(cwd);
      await makeContainerLinks(mountsFolder(folder), config.mounts);
      return { argv: command([...own, program], args), env, cwd, tells: false };
    }
    const { mount, chroot, unshare, sh, env: envProgram } = needed(programs);
    const root = path.join(folder, 'root');
    const script = await makeContainerRoot(root, [...config.mounts, ...(await namesFile(input))], {
      mount,
      chroot,
    });
    const propagation = config.mounts.some((each) => each.propagation === 'host-to-container')
      ? 'slave'
      : 'private';
    const flags = [...namespaceFlags(abilities.uid), '--propagation', propagation];
    const inside = [envProgram, `--chdir=${cwd}`, ...own, program, ...args];
    return { argv: [unshare, ...flags, sh, '-c', script, sh, root, ...inside], env, cwd: '/', tells: true };
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause;
    throw new RuntimeError('ERR_EDGECORE_RUNTIME', (cause as Error).message, { about: id, cause });
  }
}

/**
 * How a further command is started in a container that runs.
 * @param pid of the container's first process
 */
export function launchInside(
  input: Omit<LaunchInput, 'folder'> & { readonly folder: string },
  pid: number,
  words: readonly string[],
): Launch {
  const { config, abilities, programs } = input;
  const [program = '', ...args] = words;
  const env = environmentOf(input);
  const own = privileges(config.security, abilities, programs);
  const cwd = config.workingDir === '' ? '/' : config.workingDir;
  if (abilities.mounts === 'links') return { argv: command([...own, program], args), env, cwd, tells: false };
  const { nsenter, env: envProgram } = needed(programs);
  const user = abilities.uid === 0 ? [] : ['--user', '--preserve-credentials'];
  const enter = [
    nsenter,
    '--target',
    String(pid),
    ...user,
    '--mount',
    '--root',
    envProgram,
    `--chdir=${cwd}`,
  ] as const;
  return { argv: [...enter, ...own, program, ...args], env, cwd: '/', tells: false };
}

/** How names are looked up, as a file of the container's own. */
async function namesFile({
  sandbox: { dns },
  config,
  folder,
}: LaunchInput): Promise<readonly ContainerMount[]> {
  if (dns === undefined || config.mounts.some(({ containerPath }) => containerPath === RESOLV_CONF))
    return [];
  const lines = [
    ...dns.servers.map((server) => `nameserver ${server}`),
    ...(dns.searches.length > 0 ? [`search ${dns.searches.join(' ')}`] : []),
    ...(dns.options.length > 0 ? [`options ${dns.options.join(' ')}`] : []),
  ];
  const hostPath = path.join(folder, 'resolv.conf');
  await writeFile(hostPath, `${lines.join('\n')}\n`, { mode: 0o644 });
  return [{ hostPath, containerPath: RESOLV_CONF, readOnly: true }];
}

function command(head: readonly string[], args: readonly string[]): Launch['argv'] {
  const [program = '', ...more] = head;
  return [program, ...more, ...args];
}

function needed(programs: Programs): Readonly<Record<keyof Programs, string>> {
  // Where one of them is missing there are no namespaces: see findAbilities.
  return Object.fromEntries(Object.entries(programs).map(([name, file]) => [name, file ?? name])) as Readonly<
    Record<keyof Programs, string>
  >;
}

function mountsFolder(folder: string): string {
  return path.join(folder, 'mounts');
}

function environmentOf({
  id,
  sandbox,
  config,
  folder,
  abilities,
}: Omit<LaunchInput, 'programs'>): Launch['env'] {
  return {
    PATH: DEFAULT_PATH,
    ...(sandbox.hostname !== '' && { HOSTNAME: sandbox.hostname }),
    ...Object.fromEntries(config.env.map(({ key, value }) => [key, value])),
    [MOUNTS_VARIABLE]: abilities.mounts === 'links' ? mountsFolder(folder) : '',
    [CONTAINER_VARIABLE]: id,
  };
}

/** `setpriv` with what is asked for; nothing where nothing is. What cannot be kept was refused before. */
function privileges(security: LinuxSecurity, abilities: Abilities, { setpriv }: Programs): readonly string[] {
  const { runAsUser, runAsGroup, supplementalGroups, noNewPrivileges, capabilities } = security;
  const isRoot = abilities.uid === 0;
  const flags: string[] = noNewPrivileges ? ['--no-new-privs'] : [];
  if (isRoot) {
    const uid = runAsUser ?? 0;
    const gid = runAsGroup ?? uid;
    const changes = uid !== 0 || runAsGroup !== undefined || supplementalGroups.length > 0;
    if (changes) {
      const groups =
        supplementalGroups.length === 0 ? ['--clear-groups'] : [`--groups=${supplementalGroups.join(',')}`];
      flags.push(`--reuid=${uid}`, `--regid=${gid}`, ...groups);
    }
    flags.push(...droppedCapabilities(capabilities));
    if (uid !== 0) flags.push('--inh-caps=-all', '--ambient-caps=-all');
  } else if (abilities.mounts === 'namespace') {
    flags.push('--inh-caps=-all', '--ambient-caps=-all');
  }
  return flags.length === 0 || setpriv === undefined ? [] : [setpriv, ...flags];
}

/** Of root; whoever else the edge core runs as has none that could be dropped. */
function droppedCapabilities({ add, drop }: LinuxSecurity['capabilities']): readonly string[] {
  if (drop.length === 0) return [];
  const short = (name: string): string => name.toLowerCase().replace(/^cap_/, '');
  const dropped = drop.map((name) => `-${short(name)}`);
  const kept = drop.some((name) => short(name) === 'all') ? add.map((name) => `+${short(name)}`) : [];
  const list = [...dropped, ...kept].join(',');
  return [`--bounding-set=${list}`, `--inh-caps=${list}`];
}

/** Says before the start what would be a number at its end. A program in a volume is not looked for. */
function checkProgram(program: string, env: Launch['env'], config: ContainerConfig): void {
  const inVolume = (file: string): boolean =>
    config.mounts.some(({ containerPath }) => file.startsWith(`${containerPath.replace(/\/$/, '')}/`));
  const isThere = (file: string): boolean => {
    if (inVolume(file)) return true;
    try {
      accessSync(file, constants.X_OK);
      return statSync(file).isFile();
    } catch {
      return false;
    }
  };
  const candidates = program.includes('/')
    ? [path.resolve(config.workingDir === '' ? '/' : config.workingDir, program)]
    : (env['PATH'] ?? '').split(':').map((folder) => path.join(folder === '' ? '/' : folder, program));
  if (candidates.some(isThere)) return;
  const where = program.includes('/')
    ? 'no such program on this host'
    : 'there is none of that name in $PATH on this host';
  throw new RuntimeError('ERR_EDGECORE_RUNTIME', `exec: "${program}": ${where}`);
}

function checkFolder(cwd: string): void {
  try {
    if (statSync(cwd).isDirectory()) return;
  } catch {
    // said below
  }
  throw new RuntimeError('ERR_EDGECORE_RUNTIME', `the working directory ${cwd} is not there on this host`);
}
