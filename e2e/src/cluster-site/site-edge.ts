import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { AdminClient, type EdgeConfigInput, type EdgeStatus } from '@hawser/edgecore';
import { delay } from '@hawser/seams';
import { E2eError } from '../errors.ts';
import type { NodeChild, NodeChildOptions } from '../processes/node-child.ts';

/** What a {@link SiteEdge} is made of. */
export interface SiteEdgeOptions {
  readonly node: string;
  /** A folder of its own. */
  readonly dir: string;
  readonly config: EdgeConfigInput;
  readonly startNode: (options: NodeChildOptions) => Promise<NodeChild>;
}

const MAIN = path.resolve(createRequire(import.meta.url).resolve('@hawser/edgecore'), '../../bundle/main.js');
const SHIFTED_WALL = new URL('../processes/shifted-wall.js', import.meta.url).href;
const LOOK_EVERY_MS = 20;
/** The path of a unix socket has at most 107 characters: it is not in the site's folder. */
const MAX_SOCKET_PATH = 107;

/** An edge node of a site: the real command, in a process of its own. */
export class SiteEdge {
  readonly node: string;
  readonly dataDir: string;
  readonly socket: string;
  /** In a folder of its own. */
  readonly configFile: string;
  readonly admin: AdminClient;
  readonly #options: SiteEdgeOptions;
  #closed = false;
  #process: NodeChild | undefined;

  constructor(options: SiteEdgeOptions) {
    this.#options = options;
    this.node = options.node;
    this.dataDir = path.join(options.dir, 'data');
    this.socket = path.join(options.dir, 's');
    this.configFile = path.join(options.dir, 'edgecore.yaml');
    if (this.socket.length > MAX_SOCKET_PATH)
      throw new E2eError('ERR_E2E_BAD_OPTION', `too long for a unix socket: ${this.socket}`);
    this.admin = new AdminClient({ socket: this.socket });
  }

  /** @throws E2eError ERR_E2E_CHILD_EXITED while it does not run */
  get process(): NodeChild {
    if (this.#process === undefined)
      throw new E2eError('ERR_E2E_CHILD_EXITED', `${this.node} was not started`);
    return this.#process;
  }

  /** Whether its process is there, frozen or not. */
  get runs(): boolean {
    return this.#process !== undefined && this.#process.exit === undefined;
  }

  /** The end of its log; empty while it does not run. */
  get log(): string {
    return this.#process?.stderr ?? '';
  }

  /**
   * Starts the command; resolves when its admin socket answers.
   * @param options by how much the wall clock of its machine is ahead, milliseconds (default 0), and the sections of its
   *   configuration that are others than before, for this start; or that its file stays as it is
   */
  async start(
    options: {
      readonly wallShiftMs?: number;
      readonly config?: EdgeConfigInput;
      readonly asWritten?: boolean;
    } = {},
  ): Promise<void> {
    const { wallShiftMs = 0, config = {}, asWritten = false } = options;
    this.#throwIfClosed();
    if (!asWritten) await this.#writeConfig({ ...this.#options.config, ...config });
    this.#process = await this.#options.startNode({
      ...{ script: MAIN, args: ['--config', this.configFile], readyWhen: 'spawned' },
      ...(wallShiftMs !== 0 && {
        execArgv: ['--import', SHIFTED_WALL],
        env: { HAWSER_E2E_WALL_SHIFT_MS: String(wallShiftMs) },
      }),
    });
    if (this.#closed) await this.kill();
    this.#throwIfClosed();
    await this.#untilAnswers();
  }

  /** Whether it is connected and has all that the hub wants it to have. */
  async inSync(): Promise<boolean> {
    const { session, scopes } = await this.admin.status();
    return session.state === 'up' && scopes.length > 0 && scopes.every(({ synced }) => synced);
  }

  /** Waits until the status is as it should be. @throws E2eError ERR_E2E_CHILD_TIMEOUT, with the last status */
  async until(is: (status: EdgeStatus) => boolean, deadlineMs = 20_000): Promise<EdgeStatus> {
    const lateMs = performance.now() + deadlineMs;
    for (;;) {
      const status = await this.admin.status();
      if (is(status)) return status;
      if (performance.now() > lateMs)
        throw new E2eError('ERR_E2E_CHILD_TIMEOUT', `${this.node} is still: ${JSON.stringify(status)}`);
      await delay(LOOK_EVERY_MS);
    }
  }

  /** Waits until it is connected and in sync. */
  untilInSync(deadlineMs = 20_000): Promise<EdgeStatus> {
    return this.until(
      ({ session, scopes }) =>
        session.state === 'up' && scopes.length > 0 && scopes.every(({ synced }) => synced),
      deadlineMs,
    );
  }

  /** Keys and hashes of what it has. */
  async objects(): Promise<ReadonlyMap<string, string>> {
    const { items } = await this.admin.objects();
    return new Map(items.map(({ key, hash }) => [key, hash]));
  }

  /** Ends it in good order. */
  async stop(): Promise<void> {
    await this.#process?.stop(10_000);
    this.#process = undefined;
  }

  /** Ends it for good: whoever is about to start it again learns that it is over. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stop();
  }

  /** Kills it. */
  async kill(): Promise<void> {
    await this.#process?.kill();
    this.#process = undefined;
  }

  #throwIfClosed(): void {
    if (this.#closed) throw new E2eError('ERR_E2E_CHILD_EXITED', `${this.node} is closed with its site`);
  }

  async #writeConfig(config: EdgeConfigInput): Promise<void> {
    const whole: EdgeConfigInput = {
      log: { level: 'info', format: 'json' },
      ...config,
      pods: { runtime: 'null', ...config.pods },
      // Edges of one machine would have one port, and an address of this machine.
      localApi: { port: 0, ...config.localApi },
      data: { ...config.data, dir: this.dataDir },
      admin: { socket: this.socket },
    };
    await writeFile(this.configFile, JSON.stringify(whole)); // JSON is YAML
  }

  async #untilAnswers(): Promise<void> {
    const lateMs = performance.now() + 15_000;
    for (;;) {
      try {
        await this.admin.status();
        return;
      } catch (error) {
        const { exit, stderr } = this.process;
        if (exit !== undefined || performance.now() > lateMs)
          throw new E2eError('ERR_E2E_CHILD_EXITED', `${this.node} does not start: ${stderr.slice(-2000)}`, {
            cause: error,
          });
        await delay(LOOK_EVERY_MS);
      }
    }
  }
}
