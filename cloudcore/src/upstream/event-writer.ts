import { createHash } from 'node:crypto';
import {
  apiVersionOf,
  formatTime,
  parseTime,
  ResourceClient,
  RESOURCES,
  type KubeObject,
} from '@hawser/kube';
import type { UpstreamBodies } from '@hawser/sync';
import { DEVICES } from '../cache/bound-devices.ts';
import { hasCode } from './conflict-retry.ts';
import { DONE, isNamespaceEnding, Refusal } from './outcome.ts';
import type { UpstreamOutcome } from './upstream-handler.ts';
import { callOptions, type Origin, type WriterContext } from './upstream-task.ts';

/** The API's own bound. */
const MAX_MESSAGE_CHARS = 1024;
const MAX_NAME_CHARS = 253;
const HASH_CHARS = 16;
const DEVICE_VERSION = apiVersionOf(DEVICES);

interface Event extends KubeObject {
  readonly count?: number;
}

/** Writes Kubernetes Events for edges. */
export class EventWriter {
  readonly #context: WriterContext;
  readonly #events: ResourceClient<Event>;

  constructor(context: WriterContext) {
    this.#context = context;
    this.#events = new ResourceClient<Event>(context.client, RESOURCES.events);
  }

  /**
   * An Event about the node itself, a pod that is bound to it, or a device that is at it. Its name is made from the node and the edge's id for
   * it: a message that comes twice makes one Event, of which the higher count and its time stay.
   * @throws Refusal 403, 404; StatusError, ClientError
   */
  async write(origin: Origin, body: UpstreamBodies['event']): Promise<UpstreamOutcome> {
    await this.#authorize(origin, body.regarding);
    const event = this.#eventOf(origin, body);
    const { namespace, name } = event.metadata;
    try {
      await this.#events.create(event, callOptions(origin));
      this.#context.metrics.writes.inc({ kind: 'event', verb: 'create' });
    } catch (error) {
      if (isNamespaceEnding(error)) {
        throw new Refusal(404, 'gone', `namespace ${namespace} is being terminated`);
      }
      if (!hasCode(error, 409)) throw error;
      await this.#raise(origin, namespace, name, event);
    }
    return DONE;
  }

  async #authorize(origin: Origin, regarding: UpstreamBodies['event']['regarding']): Promise<void> {
    const { kind, apiVersion, namespace = '', name, uid } = regarding;
    if (apiVersion === 'v1' && kind === 'Node' && namespace === '' && name === origin.node) return;
    if (apiVersion === 'v1' && kind === 'Pod' && namespace !== '') {
      await this.#context.guard.facts(origin, { namespace, name, uid });
      return;
    }
    if (apiVersion === DEVICE_VERSION && kind === DEVICES.kind && namespace !== '') {
      await this.#context.deviceGuard.authorize(origin, { namespace, name, uid });
      return;
    }
    const about = `${apiVersion} ${kind} ${namespace}/${name}`;
    throw new Refusal(403, 'not-yours', `${origin.node} may not write events about ${about}`);
  }

  #eventOf(
    origin: Origin,
    body: UpstreamBodies['event'],
  ): Event & { metadata: { namespace: string; name: string } } {
    const { regarding, component } = body;
    // Events about objects without a namespace are kept in the namespace "default".
    const { namespace = 'default' } = regarding;
    const hash = createHash('sha256').update(`${origin.node}\0${body.id}`).digest('hex');
    return {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace, name: eventName(regarding.name, hash.slice(0, HASH_CHARS)) },
      involvedObject: { ...regarding, uid: regarding.uid ?? this.#uidOf(origin, regarding) },
      type: body.type,
      reason: body.reason,
      message: body.message.slice(0, MAX_MESSAGE_CHARS),
      source: { component, host: origin.node },
      reportingComponent: component,
      reportingInstance: origin.node,
      firstTimestamp: this.#notInFuture(body.firstTimestamp),
      lastTimestamp: this.#notInFuture(body.lastTimestamp),
      count: body.count,
    };
  }

  #uidOf(origin: Origin, { kind, namespace = '', name }: UpstreamBodies['event']['regarding']): string {
    const { view } = this.#context;
    if (kind === 'Node') return view.node(origin.node)?.uid ?? '';
    const facts = kind === DEVICES.kind ? view.device(namespace, name) : view.pod(namespace, name);
    return facts?.uid ?? '';
  }

  /** An edge may have a clock that is ahead; events are sorted by time, and expire by it. */
  #notInFuture(time: string): string {
    const nowMs = this.#context.clock.wallMs();
    return formatTime(Math.min(nowMs, parseTime(time) ?? nowMs));
  }

  /** The Event is there already: from an earlier delivery. */
  async #raise(origin: Origin, namespace: string, name: string, event: Event): Promise<void> {
    const stored = await this.#events.get(namespace, name, callOptions(origin));
    const { count = 1 } = event;
    if ((stored.count ?? 1) >= count) return;
    const body = { count, lastTimestamp: event['lastTimestamp'], message: event['message'] };
    await this.#events.patch(namespace, name, 'merge', body, callOptions(origin));
    this.#context.metrics.writes.inc({ kind: 'event', verb: 'patch' });
  }
}

/** A name of at most 253 characters, the object's name as far as it fits. */
function eventName(about: string, hash: string): string {
  const room = MAX_NAME_CHARS - HASH_CHARS - 1;
  return `${about.slice(0, room).replace(/[.-]+$/, '')}.${hash}`;
}
