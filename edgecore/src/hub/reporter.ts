import { packUpstream, type Outbox, type UpstreamBodies } from '@hawser/sync';
import type { Clock, Logger } from '@hawser/seams';
import type { Pod } from '../pods/pod.ts';
import type { PodStatus } from '../pods/pod-status-types.ts';
import type { PodReports } from '../pods/pod-worker.ts';

/** Kinds that wait in the outbox: what asks for something does not. */
type ReportedKind = Exclude<keyof UpstreamBodies, 'token-request' | 'certificate-renewal'>;

/** Puts what the edge says into the outbox, under the keys that docs/sync.md names. */
export class Reporter {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #log: Logger;

  constructor(options: { readonly outbox: Outbox; readonly clock: Clock; readonly log: Logger }) {
    this.#outbox = options.outbox;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** The node; the latest counts. */
  node(body: UpstreamBodies['node']): void {
    this.#put('node', 'node', body, true);
  }

  /** An event; may be lost where too many wait. */
  event(key: string, body: UpstreamBodies['event']): void {
    this.#put('event', key, body, false);
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
