import { findExecutable } from '../processes/executable.ts';

/** What {@link SystemdMachine} needs of the host. */
const COMMANDS = ['systemd-nspawn', 'nsenter', 'mount'];

/** Why no machine with a systemd can be booted here; undefined: it can. A test that needs one skips with the reason. */
export function machineUnavailable(): string | undefined {
  if (process.platform !== 'linux') return 'systemd is a program of Linux';
  if (process.getuid?.() !== 0) return 'booting a machine with systemd needs root';
  const missing = COMMANDS.filter((command) => findExecutable(command) === undefined);
  if (missing.length > 0) return `booting a machine with systemd needs ${missing.join(', ')}`;
  return undefined;
}
