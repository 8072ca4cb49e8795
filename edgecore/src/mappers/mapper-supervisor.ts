import path from 'node:path';
import type { Clock, Logger, Random, Timer } from '@hawser/seams';
import { DefinitionFolder, type DefinitionProblem } from './definition-folder.ts';
import { Leftovers } from './leftover.ts';
import type { MapperDefinition } from './mapper-definition.ts';
import { MapperKeeper, type KeeperState, type TroubleReason } from './mapper-keeper.ts';
import { MapperMemory } from './mapper-memory.ts';
import { MapperSecrets } from './mapper-secrets.ts';

/** What a {@link MapperSupervisor} needs. */
export interface MapperSupervisorOptions {
  /** Folder of definitions; one that is not there has none. */
  readonly dir: string;
  readonly dataDir: string;
  /** Cgroup that those of mappers are made in; empty: the uppermost. */
  readonly cgroupRoot: string;
  /** URL of the bus, for programs that are run. */
  readonly busUrl: () => string;
  /** The definition of a mapper is another one than before, or gone: what it was let do is not valid any more. */
  readonly onChanged?: (mapper: string) => void;
  /** Something of a mapper that the node is to be told. */
  readonly onTrouble: (mapper: string, reason: TroubleReason, message: string) => void;
  readonly clock: Clock;
  readonly random?: Random | undefined;
  readonly log: Logger;
}

/** A mapper as people see it. */
export interface MapperState extends Partial<KeeperState> {
  readonly name: string;
  readonly protocols: readonly string[];
  /** `run`: by edgecore; `external`: by somebody else. */
  readonly mode: 'run' | 'external';
  /** When it last said that it lives, wall clock milliseconds; undefined: not in this run of edgecore. */
  readonly lastHeartbeatMs?: number;
  /** Where its secret is. */
  readonly secretFile: string;
}

/** The folder is looked at so often: what watches folders does not see all that happens to them. */
const RESCAN_MS = 10_000;

/** The mappers of this node: who they are, and, of those that it is to run, that they run. */
export class MapperSupervisor {
  readonly #options: MapperSupervisorOptions;
  readonly #folder: DefinitionFolder;
  readonly #secrets: MapperSecrets;
  readonly #leftovers: Leftovers;
  readonly #memory: MapperMemory;
  readonly #keepers = new Map<string, { readonly key: string; readonly keeper: MapperKeeper }>();
  /** Those whose definition is another one, or gone, and that are about to end. */
  readonly #ending = new Map<string, Promise<void>>();
  readonly #heartbeats = new Map<string, number>();
  #definitions: ReadonlyMap<string, MapperDefinition> = new Map();
  #problems: readonly DefinitionProblem[] = [];
  #timer: Timer | undefined;
  #looking: Promise<void> = Promise.resolve();
  #started = false;
  #stopped = false;

  constructor(options: MapperSupervisorOptions) {
    const { dir, dataDir, cgroupRoot, log } = options;
    this.#options = options;
    this.#folder = new DefinitionFolder(dir, log);
    this.#secrets = new MapperSecrets(dataDir, log);
    this.#leftovers = new Leftovers(path.join(dataDir, 'mappers'), log);
    this.#memory = new MapperMemory(cgroupRoot, log);
  }

  /** By name. */
  get definitions(): ReadonlyMap<string, MapperDefinition> {
    return this.#definitions;
  }

  get problems(): readonly DefinitionProblem[] {
    return this.#problems;
  }

  get states(): readonly MapperState[] {
    return [...this.#definitions.values()].map(({ name, protocols, run }) => {
      const lastHeartbeatMs = this.#heartbeats.get(name);
      return {
        ...{ name, protocols, mode: run === undefined ? 'external' : 'run' },
        ...this.#keepers.get(name)?.keeper.state,
        ...(lastHeartbeatMs !== undefined && { lastHeartbeatMs }),
        secretFile: this.#secrets.file(name),
      };
    });
  }

  /**
   * Reads definitions and makes secrets; programs begin with {@link run}, once there is a bus to talk to.
   * @throws EdgeCoreError `ERR_EDGECORE_PKI_DIR`
   */
  async open(): Promise<void> {
    await this.#secrets.open();
    await this.#look();
  }

  /** Starts programs, and looks at the folder from now on. Idempotent. */
  run(): void {
    if (this.#started) return;
    this.#started = true;
    this.#settle();
    this.#schedule();
  }

  /** Ends the programs. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#looking;
    const stops = [...this.#keepers.values()].map(({ keeper }) => keeper.stop());
    const results = await Promise.allSettled([...stops, ...this.#ending.values()]);
    const failed = results
      .filter((result) => result.status === 'rejected')
      .map(({ reason }) => reason as unknown);
    if (failed.length > 0) throw new AggregateError(failed, 'mappers could not be stopped');
  }

  /** Whose secret this is; undefined: nobody's. */
  credentials(name: string, secret: Uint8Array | string): MapperDefinition | undefined {
    const matches = this.#secrets.matches(name, secret);
    return matches ? this.#definitions.get(name) : undefined;
  }

  /** The mapper says that it lives. */
  heartbeat(name: string): void {
    if (!this.#definitions.has(name)) return;
    this.#heartbeats.set(name, this.#options.clock.wallMs());
    this.#keepers.get(name)?.keeper.heartbeat();
  }

  #schedule(): void {
    if (this.#stopped) return;
    const look = (): void => {
      this.#looking = this.#look().finally(() => this.#schedule());
    };
    this.#timer = this.#options.clock.setTimer(RESCAN_MS, look, { background: true });
  }

  async #look(): Promise<void> {
    try {
      const { definitions, problems } = await this.#folder.read();
      for (const name of definitions.keys()) await this.#secrets.ensure(name);
      const before = this.#definitions;
      this.#definitions = definitions;
      this.#problems = problems;
      for (const [name, definition] of before)
        if (JSON.stringify(definition) !== JSON.stringify(definitions.get(name)))
          this.#options.onChanged?.(name);
    } catch (error) {
      this.#options.log.error(
        { err: error },
        'mapper definitions cannot be read; those of before stay in force',
      );
    }
    if (this.#started && !this.#stopped) this.#settle();
  }

  /** Runs what is to run, as its definition says now. */
  #settle(): void {
    for (const [name, { key, keeper }] of this.#keepers) {
      if (key === keyOf(this.#definitions.get(name))) continue;
      this.#keepers.delete(name);
      this.#replace(name, keeper.stop());
    }
    for (const definition of this.#definitions.values()) this.#start(definition);
  }

  /** The next one of a name begins when the one before has ended. */
  #replace(name: string, ended: Promise<void>): void {
    const next = (): void => {
      this.#ending.delete(name);
      const definition = this.#definitions.get(name);
      if (definition !== undefined && !this.#stopped) this.#start(definition);
    };
    this.#ending.set(name, ended);
    ended.then(next, (error: unknown) => {
      this.#options.log.error({ err: error, mapper: name }, 'a mapper could not be stopped');
      next();
    });
  }

  #start(definition: MapperDefinition): void {
    const { name, run } = definition;
    if (run === undefined || this.#keepers.has(name) || this.#ending.has(name)) return;
    const { clock, random, log, busUrl, onTrouble } = this.#options;
    const keeper = new MapperKeeper({
      ...{ clock, random, log, leftovers: this.#leftovers, memory: this.#memory },
      definition: { ...definition, run },
      env: async () => ({
        HAWSER_BUS_URL: busUrl(),
        HAWSER_MAPPER_NAME: name,
        HAWSER_MAPPER_SECRET: await this.#secrets.ensure(name),
      }),
      onTrouble: (reason, message) => {
        log.warn({ mapper: name, reason }, message);
        onTrouble(name, reason, message);
      },
    });
    this.#keepers.set(name, { key: keyOf(definition), keeper });
    keeper.start();
  }
}

function keyOf(definition: MapperDefinition | undefined): string {
  return JSON.stringify(definition?.run) + JSON.stringify(definition?.protocols);
}
