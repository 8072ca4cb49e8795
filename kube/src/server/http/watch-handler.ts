import type { Clock, Random } from '@hawser/seams';
import { failure, plainError, tooManyRequests } from '../../status/status-errors.ts';
import { StatusError, type Status } from '../../status/status.ts';
import type { ServerMetrics } from '../metrics.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import type { Registry } from '../registry/registry.ts';
import { parseVersion, selection, type ObjectLister } from '../rest/object-lister.ts';
import { includeObject } from '../table/table.ts';
import { EventLines } from '../watch/event-line.ts';
import { WatchSession, type WatchLimits } from '../watch/watch-session.ts';
import { notAcceptable } from '../../status/status-errors.ts';
import { listOptions, type ListOptions } from './query-options.ts';
import type { RequestContext } from './request-context.ts';
import { API_HEADERS } from './responder.ts';

/** Bounds of all watches. */
export interface WatchHandlerLimits extends WatchLimits {
  /** Watches at one time; more are answered 429. */
  readonly maxWatches: number;
  /** Without timeoutSeconds a watch lasts between this and twice this, in ms. */
  readonly minTimeoutMs: number;
}

/** What watches need. */
export interface WatchHandlerDependencies {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: ServerMetrics;
  readonly limits: WatchHandlerLimits;
}

/** Serves watch requests, and ends them when what they watch is not served any more, all of them when the server stops. */
export class WatchHandler {
  readonly #dependencies: WatchHandlerDependencies;
  readonly #sessions = new Set<WatchSession>();
  #unlisten: (() => void) | undefined;

  constructor(dependencies: WatchHandlerDependencies) {
    this.#dependencies = dependencies;
  }

  /** Begins to look at what is served. */
  start(): void {
    // What is taken away and added again in one step is served.
    this.#unlisten ??= this.#dependencies.registry.listen(() => queueMicrotask(() => this.#endRemoved()));
  }

  /** Watches that run. */
  get count(): number {
    return this.#sessions.size;
  }

  /**
   * Answers one watch request; resolves when it is over.
   * @throws StatusError while nothing has been sent yet.
   */
  async watch(context: RequestContext, definition: ResourceDefinition, lister: ObjectLister): Promise<void> {
    const { clock, limits, metrics } = this.#dependencies;
    const options = listOptions(context.query, true);
    const chosen = selection(definition, this.#named(context, options));
    const version = watchVersion(options.resourceVersion);
    const { representation } = context;
    if (representation.mediaType !== 'application/json') throw notAcceptable(['application/json']);
    const include = representation.form === 'Table' ? includeObject(context.query) : 'None';
    if (options.sendInitialEvents === true) await lister.waitFor(definition, version, context.signal);
    if (this.#sessions.size >= limits.maxWatches)
      throw tooManyRequests('too many watches, please try again later', 1);
    const fromStart = version === 0 || options.sendInitialEvents === true;
    const session = new WatchSession(context.respond.raw, {
      store: context.store,
      clock,
      definition,
      namespace: definition.namespaced ? context.info.namespace : '',
      selection: chosen,
      options,
      fromVersion: fromStart && options.sendInitialEvents !== false ? undefined : version,
      lines: new EventLines(definition, representation, include, () => clock.wallMs()),
      timeoutMs: this.#timeoutMs(options),
      limits,
      tooOld: (status) => tooOldStatus(definition, status),
    });
    this.#sessions.add(session);
    metrics.watchStarted(definition);
    const warnings = context.respond.warnings.headers();
    context.respond.raw.writeHead(200, {
      ...API_HEADERS,
      'Content-Type': 'application/json',
      ...(warnings.length === 0 ? {} : { Warning: warnings }),
    });
    try {
      metrics.watchEnded(definition, await session.run());
    } finally {
      this.#sessions.delete(session);
    }
  }

  /** Ends all watches. */
  stop(): void {
    this.#unlisten?.();
    for (const session of this.#sessions) session.stop('stopped');
  }

  #endRemoved(): void {
    const { registry } = this.#dependencies;
    for (const session of this.#sessions) {
      const { group, version, resource } = session.definition;
      if (registry.find(group, version, resource) === undefined) session.stop('removed');
    }
  }

  /** The old form `/watch/…/NAME` selects by the path. */
  #named({ info }: RequestContext, options: ListOptions): ListOptions {
    if (info.name === '') return options;
    const byName = `metadata.name=${info.name}`;
    return {
      ...options,
      fieldSelector: [options.fieldSelector, byName].filter((part) => part !== '').join(','),
    };
  }

  #timeoutMs({ timeoutSeconds }: ListOptions): number {
    if (timeoutSeconds !== undefined && timeoutSeconds > 0) return timeoutSeconds * 1000;
    return this.#dependencies.limits.minTimeoutMs * (1 + this.#dependencies.random.next());
  }
}

/** A watch's version; the API answers a bad one differently from a list's. */
function watchVersion(text: string): number {
  try {
    return parseVersion(text);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    throw plainError((error.status.message ?? '').replace(/^invalid resource version: /, ''));
  }
}

/** Events are not cached by the API server, and its storage words the error differently. */
function tooOldStatus(definition: ResourceDefinition, status: Status): Status {
  if (definition.storage.resource !== 'events') return status;
  return failure(410, 'Expired', 'The resourceVersion for the provided watch is too old.').status;
}
