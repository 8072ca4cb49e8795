import { SyncError, messageOf } from '../errors.ts';
import { parseJson } from '../codec/pack.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Content, ContentKey } from './content.ts';
import { hashOf } from './hash.ts';
import { formatKey, parseKey } from './key.ts';

/** What of an object counts, see docs/sync.md, "Normal form". Never changed once released: a new one is added. */
export interface NormalForm {
  /** From 1 on; as it travels in `ScopeState` and `Batch`. */
  readonly version: number;
  /** Fields of `metadata` that are left out. */
  readonly withoutMetadata: readonly string[];
  /** Annotations that are left out; where none remains, `annotations` is. */
  readonly withoutAnnotations: readonly string[];
  /** Resources whose `status` is left out. */
  readonly withoutStatusOf: readonly string[];
}

/** The normal forms that a release knows: what it writes, and the one before, whose hashes edges may still have. */
export interface NormalForms {
  readonly current: NormalForm;
  readonly previous?: NormalForm;
}

/** The normal forms of this release. */
export const NORMAL_FORMS: NormalForms = {
  current: {
    version: 1,
    withoutMetadata: ['managedFields', 'resourceVersion', 'selfLink'],
    withoutAnnotations: ['kubectl.kubernetes.io/last-applied-configuration'],
    // What the edge reports itself: its own writes do not echo back.
    withoutStatusOf: ['pods', 'nodes', 'devices.devices.kubeedge.io'],
  },
};

type Fields = Readonly<Record<string, unknown>>;

/**
 * Brings an object of the API into normal form. The object is not changed, and nothing of it is kept.
 * @param resource plural with its group, as in a {@link ContentKey}
 * @param object as parsed from JSON, with `metadata.name`
 * @param forms default: those of this release
 * @throws SyncError `ERR_SYNC_BAD_CONTENT`, `ERR_SYNC_BAD_KEY`
 */
export function contentOf(resource: string, object: unknown, forms = NORMAL_FORMS): Content {
  const fields = fieldsOf(object, resource);
  const metadata = fieldsOf(fields['metadata'], `${resource}: metadata`);
  const { name, namespace = '', resourceVersion = '' } = metadata;
  if (typeof name !== 'string' || typeof namespace !== 'string' || typeof resourceVersion !== 'string')
    throw new SyncError('ERR_SYNC_BAD_CONTENT', `${resource}: an object without a name`);
  return make(formatKey(resource, namespace, name), fields, resourceVersion, forms);
}

/**
 * Brings a content that an edge has into the normal form of its release, which leaves out more than the one that the
 * content is in, or is written another way.
 * @throws SyncError `ERR_SYNC_BAD_CONTENT`, `ERR_SYNC_BAD_KEY`
 */
export function renormalize(content: Omit<Content, 'hash' | 'previousHash'>, forms = NORMAL_FORMS): Content {
  const fields = fieldsOf(parseJson(content.bytes, 'ERR_SYNC_BAD_CONTENT'), content.key);
  return make(content.key, fields, content.version, forms);
}

function make(key: ContentKey, object: Fields, version: string, forms: NormalForms): Content {
  const bytes = canonicalBytes(key, object, forms.current);
  const content = { key, hash: hashOf(bytes), version, bytes };
  if (forms.previous === undefined) return content;
  return { ...content, previousHash: hashOf(canonicalBytes(key, object, forms.previous)) };
}

function canonicalBytes(key: ContentKey, object: Fields, form: NormalForm): Uint8Array {
  const { resource } = parseKey(key);
  const kept: Record<string, unknown> = { ...object };
  if (form.withoutStatusOf.includes(resource)) delete kept['status'];
  const metadata: Record<string, unknown> = { ...fieldsOf(object['metadata'], key) };
  for (const field of form.withoutMetadata) Reflect.deleteProperty(metadata, field);
  const annotations = metadata['annotations'];
  if (typeof annotations === 'object' && annotations !== null) {
    const rest: Record<string, unknown> = { ...annotations };
    for (const name of form.withoutAnnotations) Reflect.deleteProperty(rest, name);
    metadata['annotations'] = Object.keys(rest).length > 0 ? rest : undefined;
  }
  kept['metadata'] = metadata;
  // Memory of its own and of just this size: contents are kept for long.
  return new TextEncoder().encode(textOf(key, kept));
}

function textOf(key: ContentKey, object: Fields): string {
  try {
    return canonicalJson(object);
  } catch (error) {
    throw new SyncError('ERR_SYNC_BAD_CONTENT', `${key}: ${messageOf(error)}`, { cause: error });
  }
}

function fieldsOf(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SyncError('ERR_SYNC_BAD_CONTENT', `${what}: not an object`);
  return value as Fields;
}
