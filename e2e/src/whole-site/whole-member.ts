import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EdgeConfigInput, PoolStatus } from '@hawser/edgecore';
import type { SiteEdge } from '../cluster-site/site-edge.ts';
import type { Run, UserCommand } from '../processes/user-command.ts';

/** What a {@link WholeMember} is made of. */
export interface WholeMemberOptions {
  readonly edge: SiteEdge;
  readonly hawser: UserCommand;
  readonly kubectl: UserCommand;
  /** What the operator has written into its configuration before it joins. */
  readonly config: EdgeConfigInput;
  /** Options of `hawser join` beside those of the places. */
  readonly joinOptions: readonly string[];
}

/** A machine of the site, and the commands of whoever sits at it. */
export class WholeMember {
  readonly edge: SiteEdge;
  readonly #options: WholeMemberOptions;
  readonly #dir: string;

  constructor(options: WholeMemberOptions) {
    this.edge = options.edge;
    this.#options = options;
    this.#dir = path.dirname(options.edge.configFile);
  }

  get name(): string {
    return this.edge.node;
  }

  /** Says a join command as it was printed in the cloud: `hawser join --cloud … --token …`. @returns what it prints */
  async join(printed: string): Promise<string> {
    const { edge, config, joinOptions } = this.#options;
    const [, ...args] = printed.trim().split(' ');
    await writeFile(edge.configFile, JSON.stringify(config)); // JSON is YAML
    const places = ['--data-dir', edge.dataDir, '--socket', edge.socket];
    return await this.hawserOk([...args, ...places, ...joinOptions]);
  }

  /** Starts its edgecore with the configuration that the join has left. */
  async start(): Promise<void> {
    await this.edge.start({ asWritten: true });
  }

  /** Says a command of the edge at this machine. */
  hawser(args: readonly string[]): Promise<Run> {
    return this.#options.hawser.run([...args, '--config-dir', this.#dir]);
  }

  /** The same, and it has to go well. @returns stdout */
  hawserOk(args: readonly string[]): Promise<string> {
    return this.#options.hawser.ok([...args, '--config-dir', this.#dir]);
  }

  /** The same, with the answer as JSON. */
  async hawserJson<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.hawserOk([...args, '--output', 'json'])) as T;
  }

  /** Makes a kubeconfig for the local API, as `hawser kubeconfig` does, for whoever has this token. */
  async openLocalApi(token: string): Promise<void> {
    const tokenFile = path.join(this.#dir, 'reader.token');
    await writeFile(tokenFile, token, { mode: 0o600 });
    await this.hawserOk(['kubeconfig', '--user-token-file', tokenFile, '--output', this.#localKubeconfig]);
  }

  /** `kubectl get … -o json` at the local API of this machine. */
  localGet<T>(args: readonly string[]): Promise<T> {
    const { kubectl } = this.#options;
    return kubectl.json<T>(['--kubeconfig', this.#localKubeconfig, 'get', ...args, '-o', 'json']);
  }

  /** What it says of its pool; undefined: nothing, or it does not run. */
  async pool(): Promise<PoolStatus | undefined> {
    return await this.edge.admin.pool().catch(() => undefined);
  }

  get #localKubeconfig(): string {
    return path.join(this.#dir, 'local.kubeconfig');
  }
}
