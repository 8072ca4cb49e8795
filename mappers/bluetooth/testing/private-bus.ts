import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';

/** How a bus is set up. */
export interface PrivateBusOptions {
  /** Nobody may speak with BlueZ, as on a machine whose policy does not let this user. Default false. */
  readonly denyBluez?: boolean;
}

/** A message bus of its own: Debian's dbus-daemon on a socket in a folder of its own. */
export class PrivateBus {
  /** For DBUS_SYSTEM_BUS_ADDRESS. */
  readonly address: string;
  readonly #process: ChildProcess;
  readonly #dir: TempDir;

  private constructor(address: string, process: ChildProcess, dir: TempDir) {
    this.address = address;
    this.#process = process;
    this.#dir = dir;
  }

  /** Why there can be none on this machine; undefined: there can. */
  static missing(): string | undefined {
    const found = spawnSync('dbus-daemon', ['--version'], { stdio: 'ignore' }).error === undefined;
    return found ? undefined : 'dbus-daemon is needed, Debian package dbus';
  }

  static async start(options: PrivateBusOptions = {}): Promise<PrivateBus> {
    const dir = await makeTempDir();
    const file = path.join(dir.path, 'bus.conf');
    await writeFile(file, configuration(path.join(dir.path, 'bus'), options));
    const daemon = spawn('dbus-daemon', [`--config-file=${file}`, '--nofork', '--print-address=1'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // It has a word to say of limits that only matter to the bus of a machine.
    let said = '';
    daemon.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const lines = createInterface({ input: daemon.stdout });
    const address = await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      daemon.once('exit', () => reject(new Error(`dbus-daemon does not start: ${said}`)));
    });
    return new PrivateBus(address, daemon, dir);
  }

  /** Ends at once, as when the machine's bus is restarted. Idempotent. */
  async stop(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    await this.#dir.remove();
  }
}

function configuration(socket: string, { denyBluez = false }: PrivateBusOptions): string {
  const deny = denyBluez ? '<policy context="mandatory"><deny send_destination="org.bluez"/></policy>' : '';
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
  ${deny}
</busconfig>
`;
}
