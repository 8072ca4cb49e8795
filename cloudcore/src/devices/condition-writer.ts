import {
  apiVersionOf,
  formatTime,
  ResourceClient,
  RESOURCES,
  type ApiClient,
  type ApiResource,
  type KubeObject,
} from '@hawser/kube';
import type { Clock, Logger } from '@hawser/seams';
import { record } from '../cache/json-reader.ts';
import { EventTeller, type Notice } from '../cluster/event-teller.ts';
import { conditionsOf, settleTransition, type Condition } from '../upstream/conditions.ts';
import type { StatusForm } from '../upstream/device-resources.ts';
import {
  conditionText,
  cut,
  observedGeneration,
  VALID,
  validOf,
  verdictText,
  type Verdict,
} from './verdict.ts';

/** The API's own bound. */
const EVENT_MESSAGE_MAX = 1024;

/** Settings of {@link ConditionWriter}. */
export interface ConditionWriterOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Writes the condition `Valid` of a Device or a DeviceModel on top of the version that was read, other conditions as they are,
 * and an Event when what it says has changed. Several hubs may do the same: the second gets a Conflict, looks again, and
 * finds it there.
 */
export class ConditionWriter {
  readonly #options: ConditionWriterOptions;
  readonly #events: EventTeller;

  constructor(options: ConditionWriterOptions) {
    this.#options = options;
    this.#events = new EventTeller(options);
  }

  /**
   * @param live as it was read just now; not of this verdict yet
   * @returns the object as it is now, and whether it has the condition: a definition of somebody else may leave it out
   * @throws StatusError (409: it was changed in between), ClientError
   */
  async write(
    resource: ApiResource,
    form: StatusForm,
    live: KubeObject,
    verdict: Verdict,
    signal: AbortSignal,
  ): Promise<{ readonly object: KubeObject; readonly kept: boolean }> {
    const { namespace = '', name = '', resourceVersion } = live.metadata;
    const generation = observedGeneration(form, live.metadata.generation);
    const conditions = this.#conditions(live, verdict, generation);
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    const object = await this.#client(resource).patch(namespace, name, 'merge', patch, {
      signal,
      ...(form === 'subresource' && { subresource: 'status' }),
    });
    return { object, kept: conditionText(validOf(object)) === verdictText(verdict, generation) };
  }

  /** As {@link EventTeller.tell}. */
  tell(notice: Notice, signal: AbortSignal): Promise<void> {
    return this.#events.tell({ ...notice, message: cut(notice.message, EVENT_MESSAGE_MAX) }, signal);
  }

  #conditions(live: KubeObject, verdict: Verdict, generation: number | undefined): readonly Condition[] {
    const present = conditionsOf(record(live['status']));
    const before = present.find(({ type }) => type === VALID);
    const nowMs = this.#options.clock.wallMs();
    const made = {
      type: VALID,
      ...verdict,
      ...(generation !== undefined && { observedGeneration: generation }),
    };
    const condition = settleTransition(before, made, nowMs, formatTime(nowMs));
    return before === undefined
      ? [...present, condition]
      : present.map((each) => (each === before ? condition : each));
  }

  #client(resource: ApiResource): ResourceClient {
    return new ResourceClient(this.#options.client, resource);
  }
}

/** What is to be told when a verdict takes the place of a condition; undefined: nothing. */
export function noticeOf(live: KubeObject, verdict: Verdict): Notice | undefined {
  const before = validOf(live);
  const about = { ...live, apiVersion: live.apiVersion, kind: live.kind };
  if (verdict.status === 'False') {
    if (before?.status === 'False' && before['message'] === verdict.message) return undefined;
    return { about, type: 'Warning', reason: `${live.kind}Invalid`, message: verdict.message };
  }
  if (before?.status !== 'False') return undefined;
  const message =
    verdict.status === 'True' ? 'is valid again' : `is not invalid any more: ${verdict.message}`;
  return { about, type: 'Normal', reason: `${live.kind}Valid`, message };
}

/** The object that an Event about a ConfigMap is about. */
export function configMapOf(
  namespace: string,
  source: { name: string; uid: string; version: string },
): KubeObject {
  const { name, uid, version: resourceVersion } = source;
  const { kind } = RESOURCES.configmaps;
  return {
    apiVersion: apiVersionOf(RESOURCES.configmaps),
    kind,
    metadata: { namespace, name, uid, resourceVersion },
  };
}
