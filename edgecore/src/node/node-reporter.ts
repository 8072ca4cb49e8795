import type { Clock, Logger, Timer } from '@hawser/seams';
import type { EdgeConfig } from '../config/options.ts';
import type { NodeImage } from '../images/node-images.ts';
import { quantityOf } from '../pods/quantity.ts';
import type { JsonState } from '../state/json-state.ts';
import type { Machine, MachineFacts } from './machine.ts';
import { nodeBody, nodeIps, type NodeBody } from './node-body.ts';
import { PressureTracker, type NodeCondition } from './node-conditions.ts';

/** What a {@link NodeReporter} needs. */
export interface NodeReporterOptions {
  /** Name of the node. */
  readonly node: string;
  readonly config: Pick<EdgeConfig, 'node' | 'reserved' | 'pressure'>;
  readonly machine: Machine;
  readonly state: JsonState;
  /** Takes what is to be reported; the latest one counts. */
  readonly report: (body: NodeBody) => void;
  /** Calls when the addresses of the node are others than before. */
  readonly onAddresses?: (addresses: readonly string[]) => void;
  /** `nodeInfo.containerRuntimeVersion`: known once the runtime has answered. */
  readonly runtimeVersion: () => string;
  /** What the runtime has. Default: not told. */
  readonly images?: () => readonly NodeImage[];
  /** Why the node is not ready; undefined: it is. */
  readonly notReady: () => string | undefined;
  readonly readyMessage: string;
  /** Of the node, beside those of the configuration. Default: none. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Where conditions are remembered, so that a restart does not make their times new. */
const STATE_KEY = 'node-conditions';

/**
 * Looks at the machine every `node.statusPeriodMs` and reports the node when something that matters has changed:
 * never the heartbeat (the hub sees the session), never what flutters.
 */
export class NodeReporter {
  readonly #options: NodeReporterOptions;
  readonly #pressures: PressureTracker;
  #facts: MachineFacts | undefined;
  #previous: readonly NodeCondition[] = [];
  #reported: string | undefined;
  #body: NodeBody | undefined;
  #addresses: readonly string[] = [];
  #timer: Timer | undefined;
  #running = false;
  #saving: Promise<void> = Promise.resolve();
  readonly #listeners = new Set<() => void>();

  constructor(options: NodeReporterOptions) {
    const { pressure } = options.config;
    this.#options = options;
    this.#pressures = new PressureTracker({
      ...pressure,
      memoryAvailableBytes: quantityOf(pressure.memoryAvailable) ?? 0, // checked with the configuration
    });
  }

  /** What was reported last. */
  get body(): NodeBody | undefined {
    return this.#body;
  }

  /** Calls when {@link body} is another one. Answers how to stop listening. */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Addresses of the node, IPv4 first. */
  get addresses(): readonly string[] {
    return this.#addresses;
  }

  /** Remembers what was, looks once, and goes on looking. Idempotent. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    const kept = await this.#options.state.read(STATE_KEY);
    if (Array.isArray(kept)) this.#previous = kept as readonly NodeCondition[];
    this.look();
    this.#arm();
  }

  /** Stops looking; what was to be remembered is durable then. Idempotent. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#timer?.cancel();
    await this.#saving;
  }

  /** Looks now: what decides over readiness has changed. */
  look(): void {
    const { runtimeVersion, images, ...options } = this.#options;
    const { config, machine, clock, log } = options;
    try {
      this.#facts ??= machine.facts();
      const reading = machine.read();
      const addresses = nodeIps(config.node.ip, reading.addresses);
      if (addresses.join() !== this.#addresses.join()) {
        this.#addresses = addresses;
        this.#options.onAddresses?.(addresses);
      }
      const body = nodeBody({
        ...options,
        runtimeVersion: runtimeVersion(),
        ...(images !== undefined && { images: images() }),
        facts: this.#facts,
        reading,
        pressures: this.#pressures.update(reading, clock.monotonicMs()),
        notReady: options.notReady(),
        previous: this.#previous,
        nowMs: clock.wallMs(),
      });
      this.#reportIfNew(body);
    } catch (error) {
      log.error({ err: error }, 'the node cannot be looked at');
    }
  }

  /** Says it again at the next look even if nothing has changed: the cloud asked. */
  forget(): void {
    this.#reported = undefined;
    if (this.#running) this.look();
  }

  #reportIfNew(body: NodeBody): void {
    const text = JSON.stringify(body);
    if (text === this.#reported) return;
    this.#reported = text;
    this.#body = body;
    this.#previous = body.status['conditions'] as readonly NodeCondition[]; // as nodeBody makes them
    this.#saving = this.#saving.then(() => this.#save(this.#previous));
    this.#options.report(body);
    for (const listener of this.#listeners) listener();
  }

  /** Never rejects. */
  async #save(conditions: readonly NodeCondition[]): Promise<void> {
    try {
      await this.#options.state.write(STATE_KEY, conditions);
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the conditions of the node could not be remembered');
    }
  }

  #arm(): void {
    if (!this.#running) return;
    const { clock, config } = this.#options;
    this.#timer = clock.setTimer(
      config.node.statusPeriodMs,
      () => {
        this.look();
        this.#arm();
      },
      { background: true },
    );
  }
}
