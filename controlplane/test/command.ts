import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HttpApiClient } from '@hawser/kube';
import { kubeConfigClient, loadKubeConfig } from '@hawser/kube/kubeconfig';
import { within } from '@hawser/seams/testing';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const START_MS = 20_000;

/** The command in a process of its own. */
export class Command {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  #stdout = '';
  #stderr = '';

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => (this.#stdout += chunk.toString('utf8')));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString('utf8')));
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code: code as number | null, // as the event is documented
      signal: signal as NodeJS.Signals | null, // likewise
    }));
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves when the kubeconfig has been written. @throws Error with the log if the process ends before */
  async ready(): Promise<void> {
    const written = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.#stderr.includes('kubeconfig written')) resolve();
      };
      this.child.stderr?.on('data', look);
      look();
    });
    const early = this.ended.then(({ code }) => {
      throw new Error(`the command ended with ${code}: ${this.#stderr}`);
    });
    early.catch(() => {}); // it ends some time in every case
    await within('the control plane is ready', Promise.race([written, early]), START_MS);
  }

  /** A client with the rights of the kubeconfig's user. */
  static client(kubeconfig: string): HttpApiClient {
    return kubeConfigClient(loadKubeConfig({ path: kubeconfig }), { retries: 0, timeoutMs: 5000 });
  }

  /** Ends the process if it still runs. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    this.child.kill(signal);
    await this.ended;
  }
}
