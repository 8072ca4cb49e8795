import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { AdminClient, type EdgeStatus } from '@hawser/edgecore';
import { eventually } from '@hawser/seams/testing';
import type { SystemdMachine } from '../../src/machine/systemd-machine.ts';

const UNIT = 'edgecore.service';

/** A machine on which the package is, or will be: what an operator does there, and what can be seen. */
export class EdgeMachine {
  readonly #machine: SystemdMachine;

  constructor(machine: SystemdMachine) {
    this.#machine = machine;
  }

  /** Runs a line of shell; with what it writes to standard error. @throws E2eError ERR_E2E_COMMAND_FAILED */
  shell(line: string): Promise<string> {
    return this.#machine.run('sh', '-c', `exec 2>&1; ${line}`);
  }

  /** Installs a package file of the host. */
  async install(file: string): Promise<string> {
    const inside = path.join('/root', path.basename(file));
    await copyFile(file, path.join(this.#machine.root, inside));
    return await this.shell(`dpkg --install --force-unsafe-io ${inside}`);
  }

  /** Properties of the service, as systemd has them. */
  async properties(...names: readonly string[]): Promise<Readonly<Record<string, string>>> {
    const text = await this.shell(`systemctl show ${UNIT} --property=${names.join(',')}`);
    const pairs = text
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s) as [string, string]);
    return Object.fromEntries(pairs);
  }

  async property(name: string): Promise<string> {
    return (await this.properties(name))[name] ?? '';
  }

  /** Status of edgecore; undefined: it does not answer. */
  async status(): Promise<EdgeStatus | undefined> {
    const socket = this.#machine.inside('/run/hawser/edgecore.sock');
    return await new AdminClient({ socket }).status().catch(() => undefined);
  }

  /** Waits until it is connected. @param not the process that it is not any more */
  async untilConnected(not?: number): Promise<EdgeStatus> {
    let status: EdgeStatus | undefined;
    await eventually(
      'a session with the hub',
      async () => {
        status = await this.status();
        return status?.session.state === 'up' && status.process.pid !== not;
      },
      { deadlineMs: 20_000 },
    );
    if (status === undefined) throw new TypeError('unreachable: there was a status');
    return status;
  }

  /** Resident memory of edgecore, MiB. */
  async residentMib(): Promise<number> {
    const status = await this.shell(`cat /proc/${await this.property('MainPID')}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Messages of the service in the journal since the last boot: level and text. */
  async journal(): Promise<readonly { readonly level: string; readonly text: string }[]> {
    const text = await this.shell(`journalctl --unit ${UNIT} --boot --output json --no-pager`);
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>)
      .map((entry) => ({ level: entry['PRIORITY'] ?? '', text: entry['MESSAGE'] ?? '' }));
  }
}
