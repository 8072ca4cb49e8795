import { delay, type Clock } from '@hawser/seams';
import { FieldSelector } from '../../meta/field-selector.ts';
import { LabelSelector } from '../../meta/label-selector.ts';
import { badRequest, failure, listTooOld, resourceVersionTooLarge } from '../../status/status-errors.ts';
import { StatusError } from '../../status/status.ts';
import type { Entry, ObjectStore } from '../../store/store.ts';
import type { ListOptions } from '../http/query-options.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import type { ListMeta } from '../table/table.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';

/** Which objects of a resource are meant. */
export interface Selection {
  readonly labels: LabelSelector;
  readonly fields: FieldSelector;
  /** Parses the object only if there is something to look at. */
  matches(entry: Entry): boolean;
}

/** One page. */
export interface ListPage {
  readonly entries: readonly Entry[];
  readonly metadata: ListMeta;
}

const META_FIELDS = ['metadata.name', 'metadata.namespace'];
/** How long a read waits for a version that has not come yet. */
const FRESHNESS_WAIT_MS = 3000;
const POLL_MS = 50;

/**
 * Reads the selectors of a request.
 * @throws StatusError BadRequest: malformed, or a field that cannot be selected by.
 */
export function selection(
  definition: ResourceDefinition,
  options: Pick<ListOptions, 'labelSelector' | 'fieldSelector'>,
): Selection {
  const labels = LabelSelector.parse(options.labelSelector);
  const fields = FieldSelector.parse(options.fieldSelector);
  for (const { field } of fields.requirements) {
    if (META_FIELDS.includes(field) || definition.fieldNames.includes(field)) continue;
    throw badRequest(
      definition.fieldNames.length === 0
        ? `${JSON.stringify(field)} is not a known field selector: only ${META_FIELDS.map((name) => JSON.stringify(name)).join(', ')}`
        : `field label not supported: ${field}`,
    );
  }
  const onlyMeta = fields.requirements.every(({ field }) => META_FIELDS.includes(field));
  const selectable = (entry: Entry): Record<string, string> =>
    onlyMeta ? metaFields(entry.key) : selectableFields(definition, entry);
  return {
    labels,
    fields,
    matches: (entry) =>
      (fields.isEverything || fields.matches(selectable(entry))) &&
      (labels.isEverything || labels.matches(entry.labels ?? entry.object.metadata.labels)),
  };
}

function selectableFields(definition: ResourceDefinition, { key, object }: Entry): Record<string, string> {
  return { ...definition.fields(object), ...metaFields(key) };
}

function metaFields({ name, namespace }: Entry['key']): Record<string, string> {
  return { 'metadata.name': name, 'metadata.namespace': namespace };
}

/** Lists objects: selectors, pages, versions. Source: k8s.io/apiserver storage GetList and its documentation. */
export class ObjectLister {
  readonly #store: ObjectStore;
  readonly #clock: Clock;

  constructor(store: ObjectStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * Lists one page. `namespace` '': all.
   * @throws StatusError BadRequest, Expired, Timeout (a version of the future).
   */
  async list(
    definition: ResourceDefinition,
    namespace: string,
    options: ListOptions,
    signal: AbortSignal,
  ): Promise<ListPage> {
    const chosen = selection(definition, options);
    if (options.continueToken !== '') return this.#continued(definition, namespace, options, chosen);
    const { resourceVersion, resourceVersionMatch } = options;
    const version = parseVersion(resourceVersion);
    const limit = version === 0 && resourceVersion !== '' ? 0 : Math.max(0, options.limit);
    const exact =
      resourceVersionMatch === 'Exact' || (resourceVersionMatch === '' && version > 0 && limit > 0);
    await this.waitFor(definition, version, signal);
    const page = { limit, after: undefined, atVersion: exact ? version : undefined };
    return this.#page(definition, namespace, chosen, page, listTooOld);
  }

  /**
   * Waits until the store has reached a version of a resource.
   * @throws StatusError Timeout if it does not within three seconds.
   */
  async waitFor(
    { storage }: Pick<ResourceDefinition, 'storage'>,
    version: number,
    signal: AbortSignal,
  ): Promise<void> {
    const deadlineMs = this.#clock.monotonicMs() + FRESHNESS_WAIT_MS;
    for (;;) {
      const present = this.#store.versionOf?.(storage) ?? this.#store.resourceVersion;
      if (present >= version) return;
      if (this.#clock.monotonicMs() >= deadlineMs) throw resourceVersionTooLarge(version, present);
      await delay(POLL_MS, { clock: this.#clock, signal });
    }
  }

  #continued(
    definition: ResourceDefinition,
    namespace: string,
    options: ListOptions,
    chosen: Selection,
  ): ListPage {
    if (options.resourceVersion !== '' && options.resourceVersion !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const token = decodeContinue(options.continueToken);
    const atVersion = token.resourceVersion === -1 ? undefined : token.resourceVersion;
    const page = { limit: Math.max(0, options.limit), after: token.after, atVersion };
    return this.#page(definition, namespace, chosen, page, () => continueExpired(token.after));
  }

  #page(
    { storage }: ResourceDefinition,
    namespace: string,
    chosen: Selection,
    { limit, after, atVersion }: { limit: number; after: string | undefined; atVersion: number | undefined },
    tooOld: () => StatusError,
  ): ListPage {
    const { entries, resourceVersion } = this.#entries({ storage }, namespace, atVersion, tooOld);
    const perNamespace = namespace !== '';
    const start = after === undefined ? 0 : firstAfter(entries, after, perNamespace);
    const everything = chosen.labels.isEverything && chosen.fields.isEverything;
    const found: Entry[] = [];
    let index = start;
    for (; index < entries.length; index += 1) {
      const entry = entries[index];
      if (entry === undefined || !(everything || chosen.matches(entry))) continue;
      if (limit > 0 && found.length === limit) break;
      found.push(entry);
    }
    const last = found.at(-1);
    if (index >= entries.length || last === undefined) {
      return { entries: found, metadata: { resourceVersion: String(resourceVersion) } };
    }
    const { key } = last;
    const name = perNamespace || key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
    return {
      entries: found,
      metadata: {
        resourceVersion: String(resourceVersion),
        continue: encodeContinue({ resourceVersion, after: name }),
        ...(everything ? { remainingItemCount: entries.length - index } : {}),
      },
    };
  }

  #entries(
    { storage }: Pick<ResourceDefinition, 'storage'>,
    namespace: string,
    atVersion: number | undefined,
    tooOld: () => StatusError,
  ): { entries: readonly Entry[]; resourceVersion: number } {
    const scope = { ...storage, ...(namespace === '' ? {} : { namespace }) };
    try {
      return this.#store.list(scope, atVersion === undefined ? {} : { atVersion });
    } catch (error) {
      if (error instanceof StatusError && error.status.reason === 'Expired') throw tooOld();
      throw error;
    }
  }
}

/**
 * A resourceVersion of a list as a number; '' is 0.
 * @throws StatusError BadRequest.
 */
export function parseVersion(text: string): number {
  if (text === '') return 0;
  if (!/^\d+$/.test(text)) {
    const quoted = JSON.stringify(text);
    throw badRequest(
      `invalid resource version: resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: invalid syntax`,
    );
  }
  return Number(text);
}

/** The index of the first entry behind a key: entries are in order of (namespace, name). */
function firstAfter(entries: readonly Entry[], after: string, perNamespace: boolean): number {
  const slash = after.indexOf('/');
  const namespace = perNamespace || slash === -1 ? undefined : after.slice(0, slash);
  const name = namespace === undefined ? after : after.slice(slash + 1);
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const key = entries[middle]?.key;
    const behind =
      key !== undefined &&
      (namespace === undefined || key.namespace === namespace ? key.name > name : key.namespace > namespace);
    if (behind) high = middle;
    else low = middle + 1;
  }
  return low;
}

function continueExpired(after: string): StatusError {
  const error = failure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list ' +
      'without the continue parameter, or use the continue token in this response to retrieve the remainder of ' +
      'the results. Continuing with the provided token results in an inconsistent list - objects that were ' +
      'created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  const metadata = { continue: encodeContinue({ resourceVersion: -1, after }) };
  return new StatusError({ ...error.status, metadata });
}
