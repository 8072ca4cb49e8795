import type { Pod } from '../pods/pod.ts';

/**
 * What a pod may set: parameters that belong to it alone and touch no other pod of the node, with the first kernel that
 * has them so. Source: kubelet, sysctl/safe_sysctls.go.
 */
const SAFE: Readonly<Record<string, readonly [number, number]>> = {
  'kernel.shm_rmid_forced': [0, 0],
  'net.ipv4.ip_local_port_range': [0, 0],
  'net.ipv4.tcp_syncookies': [0, 0],
  'net.ipv4.ping_group_range': [0, 0],
  'net.ipv4.ip_unprivileged_port_start': [0, 0],
  'net.ipv4.ip_local_reserved_ports': [3, 16],
  'net.ipv4.tcp_keepalive_time': [4, 5],
  'net.ipv4.tcp_fin_timeout': [4, 6],
  'net.ipv4.tcp_keepalive_intvl': [4, 5],
  'net.ipv4.tcp_keepalive_probes': [4, 5],
  'net.ipv4.tcp_rmem': [4, 15],
  'net.ipv4.tcp_wmem': [4, 15],
};
/** Source: kubelet, sysctl/namespace.go. */
const OF_IPC = /^(kernel\.(shm.*|msg.*|sem)|fs\.mqueue\..*)$/;

/**
 * Why a pod may not have its sysctls; undefined: it may.
 * @param kernel `uname -r`
 * Source: kubelet, sysctl/allowlist.go Admit, which says it with reason `SysctlForbidden`.
 */
export function sysctlRefusal({ spec }: Pod, kernel: string): string | undefined {
  for (const { name } of spec.securityContext?.sysctls ?? []) {
    const dotted = sysctlName(name);
    const problem = problemOf(dotted, spec, kernel);
    if (problem !== undefined) return `forbidden sysctl: "${dotted}" ${problem}`;
  }
  return undefined;
}

/** The sysctls of a pod by name. */
export function sysctlsOf({ spec }: Pod): Readonly<Record<string, string>> {
  const sysctls = spec.securityContext?.sysctls ?? [];
  return Object.fromEntries(sysctls.map(({ name, value }) => [sysctlName(name), value]));
}

/** With dots between its parts, whatever it was written with. Source: sysctl.d(5); component-helpers NormalizeName. */
export function sysctlName(name: string): string {
  const first = /[./]/.exec(name)?.[0];
  if (first !== '/') return name;
  return name.replaceAll(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
}

function problemOf(name: string, spec: Pod['spec'], kernel: string): string | undefined {
  const since = Object.hasOwn(SAFE, name) ? SAFE[name] : undefined;
  if (since === undefined || !isAtLeast(kernel, since)) return 'not allowlisted';
  if (name.startsWith('net.') && spec.hostNetwork === true) return 'not allowed with host net enabled';
  if (OF_IPC.test(name) && spec.hostIPC === true) return 'not allowed with host ipc enabled';
  return undefined;
}

function isAtLeast(kernel: string, [major, minor]: readonly [number, number]): boolean {
  const [, ownMajor = 0, ownMinor = 0] = (/^(\d+)\.(\d+)/.exec(kernel) ?? []).map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
