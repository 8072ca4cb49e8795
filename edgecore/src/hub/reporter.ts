import {
  MAX_UPSTREAM_BYTES,
  packUpstream,
  type Outbox,
  type UpstreamBodies,
  type VolatileMessage,
} from '@hawser/sync';
import type { Clock, Logger, Timer } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { PodReports } from '../pods/pod-reporter.ts';
import type { AboutDevice, DeviceReports } from '../twins/device-reports.ts';

/** Kinds that wait in the outbox, on disk too: what asks for something does not, nor do twins. */
type ReportedKind = Exclude<
  keyof UpstreamBodies,
  'token-request' | 'certificate-renewal' | 'device' | 'device-setting'
>;

/**
 * Reasons of what is said of every start. Such events wait: they come together, and what the cloud acts upon goes
 * before them. Any other goes at once: its pod may be gone soon, and then the cloud does not take it any more.
 */
const OF_A_START: ReadonlySet<string> = new Set([
  'MissingClusterDNS',
  'Pulling',
  'Pulled',
  'Created',
  'Started',
]);
/** How long after the last one, and after the first one at most, milliseconds: until the starts of now are over. */
const EVENTS_AFTER_MS = { last: 1_000, first: 4_000 } as const;
/** Events that wait at a time; beyond it they go at once. */
const MAX_WAITING_EVENTS = 256;

/** Puts what the edge says into the outbox, under the keys that docs/sync.md names. */
export class Reporter {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #events = new Map<string, UpstreamBodies['event']>();
  #timer: Timer | undefined;
  /** Since when events wait, monotonic milliseconds. */
  #waitingSinceMs = 0;

  constructor(options: { readonly outbox: Outbox; readonly clock: Clock; readonly log: Logger }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** Events that are not in the outbox yet. */
  get waiting(): number {
    return this.#events.size;
  }

  /** The node; the latest counts. */
  node(body: UpstreamBodies['node']): void {
    this.#put('node', 'node', body, true);
  }

  /**
   * An event, after those that wait; one of a start a second after there was none any more. May be lost where too many
   * wait. A later one with its key takes its place.
   */
  event(key: string, body: UpstreamBodies['event']): void {
    const nowMs = this.#clock.monotonicMs();
    if (this.#events.size === 0) this.#waitingSinceMs = nowMs;
    this.#events.set(key, body);
    if (!OF_A_START.has(body.reason) || this.#events.size >= MAX_WAITING_EVENTS) {
      this.flush();
      return;
    }
    const leftMs = this.#waitingSinceMs + EVENTS_AFTER_MS.first - nowMs;
    this.#timer?.cancel();
    this.#timer = this.#clock.setTimer(Math.min(EVENTS_AFTER_MS.last, leftMs), () => this.flush(), {
      background: true,
    });
  }

  /** Puts events that wait into the outbox now. */
  flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const events = [...this.#events];
    this.#events.clear();
    for (const [key, body] of events) this.#put('event', key, body, false);
  }

  /** Something the edge says of itself. @param about makes it replace what was said of the same before */
  report(code: string, message: string, about: string): void {
    const at = new Date(this.#clock.wallMs()).toISOString();
    this.#put('report', `report/${code}/${about}`, { code, message, at }, false);
  }

  /** What workers say of pods. */
  podReports(): PodReports {
    return {
      status: (pod, status) => this.#podStatus(pod, status),
      gone: ({ metadata: { namespace, name, uid } }) =>
        this.#put('pod-gone', `pod-gone/${namespace}/${name}/${uid}`, { namespace, name, uid }, true),
    };
  }

  /** What twins say. */
  deviceReports(): DeviceReports {
    const key = (kind: string, { namespace, name, uid }: AboutDevice): string =>
      `${kind}/${namespace}/${name}/${uid}`;
    const put = (message: VolatileMessage): void => {
      try {
        this.#outbox.putVolatile(message);
      } catch (error) {
        this.#log.error({ err: error, key: message.key }, 'something could not be reported');
      }
    };
    return {
      device: (about, body, onAnswer) =>
        put({ key: key('device', about), kind: 'device', body: () => packDevice(body()), onAnswer }),
      settings: (about, body, onAnswer) =>
        put({
          key: key('device-setting', about),
          kind: 'device-setting',
          body: () => packUpstream(body()),
          onAnswer,
        }),
      withdraw: (kind, about) => this.#outbox.withdraw(key(kind, about)),
    };
  }

  /** What a program at the edge published for the cloud; may be lost where too many wait. @param id of this one */
  upload(id: string, body: UpstreamBodies['upload']): void {
    this.#put('upload', `upload/${id}`, body, false);
  }

  #podStatus(pod: Pod, status: PodStatus): void {
    const { namespace, name, uid } = pod.metadata;
    this.#put(
      'pod',
      `pod/${namespace}/${name}/${uid}`,
      { namespace, name, uid, status: { ...status } },
      true,
    );
  }

  #put<Kind extends ReportedKind>(kind: Kind, key: string, body: UpstreamBodies[Kind], keep: boolean): void {
    try {
      this.#outbox.put({ kind, key, body: packUpstream(body), keep });
    } catch (error) {
      // Too large, or too many: a fault of this program, which must not end what it was about.
      this.#log.error({ err: error, key }, 'something could not be reported');
    }
  }
}

/**
 * A report of a device that is larger than the cloud takes goes without its longest values: 1,000 properties of 16 KiB
 * would be 16 MiB.
 */
function packDevice(body: UpstreamBodies['device']): Uint8Array {
  let { twins } = body;
  while (twins.length > 1 && Buffer.byteLength(JSON.stringify({ ...body, twins })) > MAX_UPSTREAM_BYTES) {
    const shortest = [...twins].sort((one, other) => lengthOf(one) - lengthOf(other));
    const kept = new Set(shortest.slice(0, Math.floor(twins.length / 2)));
    twins = twins.filter((twin) => kept.has(twin));
  }
  return packUpstream({ ...body, twins });
}

function lengthOf({ reported, observedDesired }: UpstreamBodies['device']['twins'][number]): number {
  return (reported?.value.length ?? 0) + (observedDesired?.value.length ?? 0);
}
