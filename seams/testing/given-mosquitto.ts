import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** Whether broker and clients of mosquitto are on this machine. */
export function hasMosquitto(): boolean {
  return ['mosquitto', 'mosquitto_pub', 'mosquitto_sub'].every(
    (command) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${command}`]).status === 0,
  );
}

/** A broker that is not ours, on a port of its own; it keeps its sessions over restarts. */
export class GivenMosquitto {
  readonly port: number;
  readonly #dir: string;
  #more: readonly string[] = ['allow_anonymous true'];
  #child: ChildProcess | undefined;

  constructor(dir: string, port: number) {
    this.#dir = dir;
    this.port = port;
  }

  /**
   * One that runs, on a port of its own.
   * @param dir folder for its files
   * @param more lines of its configuration
   */
  static async start(dir: string, more?: readonly string[]): Promise<GivenMosquitto> {
    const given = new GivenMosquitto(dir, await freePort());
    await given.start(more);
    return given;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** @param more lines of its configuration. Default: as it was, at first that anybody may come in */
  async start(more?: readonly string[]): Promise<void> {
    this.#more = more ?? this.#more;
    const lines = [
      `listener ${this.port} 127.0.0.1`,
      'user root',
      'persistence true',
      `persistence_location ${this.#dir}/`,
      // After each change, so that killing it loses nothing that it has acknowledged.
      'autosave_on_changes true',
      'autosave_interval 1',
      'max_inflight_messages 1000',
      'max_queued_messages 10000',
      ...this.#more,
    ];
    writeFileSync(path.join(this.#dir, 'mosquitto.conf'), `${lines.join('\n')}\n`);
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
    const child = spawn('mosquitto', ['-c', path.join(this.#dir, 'mosquitto.conf')], {
      stdio: 'ignore',
      env,
    });
    this.#child = child;
    await eventually('mosquitto listens', () => isListening(this.port));
  }

  /** SIGTERM: it writes what it has. SIGKILL: it does not. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill(signal);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

/** Runs `mosquitto_pub` or `mosquitto_sub`; @returns exit code and what it printed */
export async function runMosquitto(
  command: 'mosquitto_pub' | 'mosquitto_sub',
  url: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly lines: readonly string[]; readonly errors: string }> {
  const { hostname, port } = new URL(url);
  const child = spawn(command, ['-h', hostname, '-p', port, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, lines: output.split('\n').filter((line) => line !== ''), errors };
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
