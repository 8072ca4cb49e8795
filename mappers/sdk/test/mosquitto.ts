import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import path from 'node:path';
import { eventually } from '@hawser/seams/testing';

const PROGRAM = ['/usr/sbin/mosquitto', '/usr/bin/mosquitto'].find((file) => existsSync(file));

/** Whether it is installed; tests that use it are skipped otherwise. */
export const hasMosquitto = PROGRAM !== undefined;

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** A broker that is not ours, which a test can end and start again. */
export class Mosquitto {
  readonly port: number;
  readonly #dir: string;
  #process: ChildProcess | undefined;

  constructor(dir: string, port: number) {
    this.#dir = dir;
    this.port = port;
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`;
  }

  /** @param more lines of its configuration; default: anybody may come in */
  async start(more = 'allow_anonymous true'): Promise<void> {
    if (PROGRAM === undefined) throw new Error('mosquitto is not installed');
    const file = path.join(this.#dir, 'mosquitto.conf');
    await writeFile(file, `listener ${this.port} 127.0.0.1\n${more}\n`);
    this.#process = spawn(PROGRAM, ['-c', file], { stdio: 'ignore' });
    await eventually('mosquitto listens', () => this.#answers());
  }

  async stop(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running?.exitCode !== null) return;
    await new Promise((resolve) => {
      running.once('exit', resolve);
      running.kill('SIGKILL');
    });
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  }
}
