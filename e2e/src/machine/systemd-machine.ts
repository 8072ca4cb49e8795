import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { delay } from '@hawser/seams';
import { E2eError } from '../errors.ts';
import { dieWithParent, killOnExit } from '../processes/live-children.ts';
import { OutputTail } from '../processes/output-tail.ts';
import { runCommand } from '../processes/run-command.ts';

/** Settings of {@link SystemdMachine.create}. */
export interface SystemdMachineOptions {
  /** The network namespace that it is in. */
  readonly network: string;
  /** Paths of the host that the machine does not have, such as what the host has installed. */
  readonly without?: readonly string[];
}

const LOOK_EVERY_MS = 20;
const BOOT_LIMIT_MS = 60_000;
const HALT_LIMIT_MS = 30_000;
/** What the host starts at boot, and this machine does not. */
const HOST_SERVICES = '/etc/systemd/system';
const ENVIRONMENT = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8', 'HOME=/root'];

/**
 * A machine with the host's programs and a file system of its own, in which a real systemd boots: `systemd-nspawn` over
 * an overlay of the host's root. What is written in it is gone with {@link close}; it is there after {@link halt} and
 * another {@link boot}. It starts nothing of what the host has enabled. Needs root; see `machineAvailable`.
 */
export class SystemdMachine {
  readonly #dir: string;
  readonly #network: string;
  #nspawn: ChildProcess | undefined;
  #output = new OutputTail();
  #init = 0;

  private constructor(dir: string, network: string) {
    this.#dir = dir;
    this.#network = network;
  }

  /** Makes one, not booted. @throws E2eError ERR_E2E_COMMAND_FAILED */
  static async create({ network, without = [] }: SystemdMachineOptions): Promise<SystemdMachine> {
    const machine = new SystemdMachine(await mkdtemp(path.join(tmpdir(), 'hwm-')), network);
    try {
      await machine.#mount();
      for (const file of [HOST_SERVICES, ...without]) {
        await rm(path.join(machine.root, file), { recursive: true, force: true });
      }
      await mkdir(path.join(machine.root, HOST_SERVICES), { recursive: true });
      // One of its own: with the host's, or none, its journal would be mixed up with the host's.
      await writeFile(path.join(machine.root, 'etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
    } catch (error) {
      await machine.close();
      throw error;
    }
    return machine;
  }

  /** Its root, as the host sees it. While it runs, what is mounted inside is not seen here. */
  get root(): string {
    return path.join(this.#dir, 'root');
  }

  /** A file of the machine while it runs, as the host reaches it; unix sockets as well. */
  inside(file: string): string {
    return `/proc/${this.#init}/root${file}`;
  }

  /** Starts it, until systemd has started everything. @returns milliseconds that took */
  async boot(): Promise<number> {
    const startedMs = performance.now();
    const args = [
      ...[`--directory=${this.root}`, `--network-namespace-path=/run/netns/${this.#network}`, '--boot'],
      '--capability=CAP_NET_ADMIN', // the network is its own
      ...['--register=no', '--keep-unit', '--console=pipe', '--quiet'],
      ...['--link-journal=no', '--resolv-conf=off', '--timezone=off'],
    ];
    const [command = '', ...rest] = dieWithParent(['systemd-nspawn', ...args]);
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    killOnExit(child);
    child.on('error', () => {}); // it has no pid then, and does not boot
    this.#nspawn = child;
    this.#output = new OutputTail();
    for (const stream of [child.stdout, child.stderr]) this.#output.collect(stream, () => {});
    await this.#until('boot', BOOT_LIMIT_MS, () => this.#isUp());
    return performance.now() - startedMs;
  }

  /** Runs a command inside, as root. @returns its stdout @throws E2eError ERR_E2E_COMMAND_FAILED with its stderr */
  run(command: string, ...args: readonly string[]): Promise<string> {
    const enter = ['--target', String(this.#init), '--all', '--root', '--wd'];
    return runCommand('nsenter', [...enter, 'env', '--ignore-environment', ...ENVIRONMENT, command, ...args]);
  }

  /** Shuts it down as a power switch does that is pressed shortly. Idempotent. */
  async halt(): Promise<void> {
    const child = this.#nspawn;
    if (child === undefined) return;
    child.kill('SIGTERM');
    await this.#until('halt', HALT_LIMIT_MS, () => Promise.resolve(hasEnded(child)));
    this.#nspawn = undefined;
  }

  /** Halts it and removes its files. */
  async close(): Promise<void> {
    await this.halt();
    await runCommand('umount', ['--lazy', this.root]).catch(() => {}); // it was not mounted yet
    await rm(this.#dir, { recursive: true, force: true });
  }

  async #mount(): Promise<void> {
    const [upper, work] = [path.join(this.#dir, 'upper'), path.join(this.#dir, 'work')];
    for (const folder of [upper, work, this.root]) await mkdir(folder);
    const layers = `lowerdir=/,upperdir=${upper},workdir=${work}`;
    await runCommand('mount', ['-t', 'overlay', 'hawser-machine', '-o', layers, this.root]);
  }

  /** Whether systemd has started everything, whatever of it failed. */
  async #isUp(): Promise<boolean> {
    const { pid } = this.#nspawn ?? {};
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
    this.#init = Number(children.trim().split(' ')[0]);
    if (this.#init === 0) return false;
    const state = await this.run('sh', '-c', 'systemctl is-system-running || true').catch(() => '');
    return /^(running|degraded)$/.test(state.trim());
  }

  async #until(what: string, limitMs: number, is: () => Promise<boolean>): Promise<void> {
    const lateMs = performance.now() + limitMs;
    while (!(await is())) {
      const child = this.#nspawn;
      if (what === 'boot' && (child === undefined || hasEnded(child)))
        throw new E2eError('ERR_E2E_CHILD_EXITED', `the machine does not boot: ${this.#output.text}`);
      if (performance.now() > lateMs) {
        child?.kill('SIGKILL');
        throw new E2eError('ERR_E2E_CHILD_TIMEOUT', `the machine does not ${what}: ${this.#output.text}`);
      }
      await delay(LOOK_EVERY_MS);
    }
  }
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
