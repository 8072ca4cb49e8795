import type { Entry } from '../../store/store.ts';
import { without } from '../draft.ts';
import { apiVersionOf, type ResourceDefinition } from '../registry/definition.ts';

const COMMA = Buffer.from(',');
const BRACE = Buffer.from('{');
const LIST_END = Buffer.from(']}');

/** JSON of objects, serialised once per stored state and version and shared by all who read it. */
const encoded = new WeakMap<Entry, Map<string, Buffer>>();

/** The JSON of an entry in a definition's version. */
export function entryJson(definition: ResourceDefinition, entry: Entry): Buffer {
  if (definition.codec.servesStored === true) return entry.json();
  const { object } = entry;
  const shown = definition.codec.encode(object);
  if (shown === object) return entry.json();
  return cached(entry, apiVersionOf(definition), () => Buffer.from(JSON.stringify(shown)));
}

/** What `make` returns for this entry and form, made at the first call. */
export function cached(entry: Entry, form: string, make: () => Buffer): Buffer {
  let forms = encoded.get(entry);
  if (forms === undefined) {
    forms = new Map();
    encoded.set(entry, forms);
  }
  let json = forms.get(form);
  if (json === undefined) {
    json = make();
    forms.set(form, json);
  }
  return json;
}

/**
 * The JSON of a list. Items of built-in kinds carry neither kind nor apiVersion: those stand first in what is stored,
 * so the items are cut out of the cached JSON without parsing it.
 */
export function listJson(
  definition: ResourceDefinition,
  entries: readonly Entry[],
  metadata: object,
): Buffer {
  const { listKind, kind, custom } = definition;
  const apiVersion = apiVersionOf(definition);
  const listMeta = JSON.stringify(custom ? { continue: '', ...metadata } : metadata);
  const head = custom
    ? `{"apiVersion":${JSON.stringify(apiVersion)},"kind":${JSON.stringify(listKind)},"metadata":${listMeta},"items":[`
    : `{"kind":${JSON.stringify(listKind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${listMeta},"items":[`;
  const chunks: Buffer[] = [Buffer.from(head)];
  const prefix = Buffer.from(`{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`);
  entries.forEach((entry, index) => {
    if (index > 0) chunks.push(COMMA);
    const json = entryJson(definition, entry);
    if (custom) chunks.push(json);
    else if (json.subarray(0, prefix.length).equals(prefix)) chunks.push(BRACE, json.subarray(prefix.length));
    else
      chunks.push(
        Buffer.from(JSON.stringify(without(definition.codec.encode(entry.object), 'kind', 'apiVersion'))),
      );
  });
  chunks.push(LIST_END);
  return Buffer.concat(chunks);
}
