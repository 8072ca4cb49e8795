import type { KubeObject } from '../../meta/object.ts';
import type { Status } from '../../status/status.ts';
import type { Entry, StoreEvent } from '../../store/store.ts';
import type { Representation } from '../http/negotiation.ts';
import { apiVersionOf, type ResourceDefinition } from '../registry/definition.ts';
import { cached, entryJson } from '../rest/object-json.ts';
import type { Selection } from '../rest/object-lister.ts';
import { partialObject, tableOf, type IncludeObject } from '../table/table.ts';

/** `type` of a watch event. */
export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** An event as one watcher is to see it. */
export interface SeenEvent {
  readonly type: EventType;
  /** Whose state is shown. */
  readonly entry: Entry;
  /** The version of the event, which is newer than `entry` where an object left the selection. */
  readonly resourceVersion: number;
}

/**
 * What an event means to somebody who watches a selection: an object that begins to match is ADDED, one that no
 * longer does is DELETED (with its last matching state, at the event's version), others do not concern him.
 * Source: k8s.io/apiserver storage/cacher cacheWatcher convertToWatchEvent.
 */
export function seenEvent(event: StoreEvent, selection: Selection): SeenEvent | undefined {
  const { entry, previous } = event;
  const { resourceVersion } = entry;
  const matchedBefore = previous !== undefined && selection.matches(previous);
  if (event.type === 'DELETED') {
    return matchedBefore || selection.matches(entry)
      ? { type: 'DELETED', entry, resourceVersion }
      : undefined;
  }
  const matchesNow = selection.matches(entry);
  if (matchesNow) return { type: matchedBefore ? 'MODIFIED' : 'ADDED', entry, resourceVersion };
  // `previous` is there: it matched.
  return matchedBefore ? { type: 'DELETED', entry: previous, resourceVersion } : undefined;
}

/** An entry's object in a definition's version, at the version of its event. */
export function shownObject(
  definition: ResourceDefinition,
  entry: Entry,
  resourceVersion: number,
): KubeObject {
  const object = definition.codec.encode(entry.object);
  if (entry.resourceVersion === resourceVersion) return object;
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(resourceVersion) } };
}

const NEWLINE_AND_END = Buffer.from('}\n');

/** Writes events as the lines of one watcher's representation; lines that many want are made once. */
export class EventLines {
  readonly #definition: ResourceDefinition;
  readonly #representation: Representation;
  readonly #include: IncludeObject;
  readonly #nowMs: () => number;
  #columnsSent = false;

  constructor(
    definition: ResourceDefinition,
    representation: Representation,
    include: IncludeObject,
    nowMs: () => number,
  ) {
    this.#definition = definition;
    this.#representation = representation;
    this.#include = include;
    this.#nowMs = nowMs;
  }

  /**
   * The line of an object that was there before the watch. Its JSON is shared, the line is not kept: nobody may ever
   * ask for it again, and lines of all objects would double what they take in memory.
   */
  initial(entry: Entry): Buffer {
    if (this.#representation.form === 'Object') return frame('ADDED', entryJson(this.#definition, entry));
    return this.line({ type: 'ADDED', entry, resourceVersion: entry.resourceVersion });
  }

  /** The line of an event. */
  line(event: SeenEvent): Buffer {
    const { form, formVersion } = this.#representation;
    if (form === 'Table') return this.#tableLine(event.type, this.#shown(event));
    if (event.entry.resourceVersion !== event.resourceVersion) {
      const object = this.#formed(this.#shown(event));
      return frame(event.type, Buffer.from(JSON.stringify(object)));
    }
    const form2 = `${event.type} ${form} ${formVersion} ${apiVersionOf(this.#definition)}`;
    return cached(event.entry, form2, () =>
      frame(
        event.type,
        form === 'Object'
          ? entryJson(this.#definition, event.entry)
          : Buffer.from(JSON.stringify(this.#formed(this.#shown(event)))),
      ),
    );
  }

  /** A bookmark; `initialEnd`: it ends the initial events of a streaming list. */
  bookmark(resourceVersion: number, initialEnd: boolean): Buffer {
    const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const object = {
      kind: this.#definition.kind,
      apiVersion: apiVersionOf(this.#definition),
      metadata: { resourceVersion: String(resourceVersion), ...annotations },
    };
    const { form } = this.#representation;
    if (form === 'Table') return this.#tableLine('BOOKMARK', object);
    const shown = form === 'Object' ? object : partialObject(object, this.#representation.formVersion);
    return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object: shown })}\n`);
  }

  /** The last line of a watch that cannot go on. */
  error(status: Status): Buffer {
    return Buffer.from(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
  }

  #shown({ entry, resourceVersion }: SeenEvent): KubeObject {
    return shownObject(this.#definition, entry, resourceVersion);
  }

  #formed(object: KubeObject): object {
    return this.#representation.form === 'Object'
      ? object
      : partialObject(object, this.#representation.formVersion);
  }

  #tableLine(type: string, object: KubeObject): Buffer {
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
    const request = {
      includeObject: this.#include,
      version: this.#representation.formVersion,
      nowMs: this.#nowMs(),
    };
    const table = tableOf(this.#definition.table, [object], metadata, request, !this.#columnsSent);
    this.#columnsSent = true;
    return Buffer.from(`${JSON.stringify({ type, object: table })}\n`);
  }
}

function frame(type: EventType, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, NEWLINE_AND_END]);
}
