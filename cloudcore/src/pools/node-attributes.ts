import { isPlainObject } from '@hawser/kube';
import { record, records, text, texts } from '../cache/json-reader.ts';
import { ANNOTATIONS, LABELS } from '../cluster/names.ts';
import type { NodePool, PoolTaint } from './node-pool.ts';

/** What a NodePool gives its nodes. */
export type Attributes = Pick<NodePool, 'labels' | 'annotations' | 'taints'>;

/** A Node as far as attributes go. */
export interface AttributedNode {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** `spec.taints`, as it is. */
  readonly taints: readonly unknown[];
}

/** A merge patch of a Node; undefined members stay as they are. */
export interface AttributePatch {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string | null>>;
    readonly annotations?: Readonly<Record<string, string | null>>;
  };
  readonly spec?: { readonly taints: readonly unknown[] };
}

const NONE: Attributes = { labels: {}, annotations: {}, taints: [] };
/** What the hub decides by is not a pool's to give. */
const OWN: ReadonlySet<string> = new Set<string>([...Object.values(LABELS), ...Object.values(ANNOTATIONS)]);

/** What of a Node was given by its pool, by the note in it. */
export function givenTo(annotations: Readonly<Record<string, string>>): Attributes {
  let given: unknown;
  try {
    given = JSON.parse(annotations[ANNOTATIONS.poolAttributes] ?? '{}');
  } catch {
    return NONE; // somebody else's: nothing of it was given
  }
  const fields = record(isPlainObject(given) ? given : undefined);
  return {
    labels: texts(fields['labels']),
    annotations: texts(fields['annotations']),
    taints: records(fields['taints']).map(taintOf),
  };
}

/**
 * How a Node becomes what its pool wants; undefined: it is so. Only what the pool gave, and is still as it gave it, is
 * changed or taken away; what others have put there under the same name stays.
 * @param wanted undefined: it is in no pool
 */
export function attributePatch(
  node: AttributedNode,
  wanted: Attributes | undefined,
): AttributePatch | undefined {
  const given = givenTo(node.annotations);
  const target = wanted ?? NONE;
  const labels = fieldsPatch(node.labels, given.labels, target.labels);
  const annotations = fieldsPatch(node.annotations, given.annotations, target.annotations);
  const taints = taintsPatch(node.taints, given.taints, target.taints);
  const note = noteOf({ labels: labels.kept, annotations: annotations.kept, taints: taints.kept });
  const isNoted = (node.annotations[ANNOTATIONS.poolAttributes] ?? null) === note;
  const noted = isNoted ? {} : { [ANNOTATIONS.poolAttributes]: note };
  const changes = { ...annotations.patch, ...noted };
  const isSame = [labels.patch, changes].every((patch) => Object.keys(patch).length === 0);
  if (isSame && taints.changed === undefined) return undefined;
  return {
    metadata: { labels: labels.patch, annotations: changes },
    ...(taints.changed && { spec: { taints: taints.changed } }),
  };
}

interface FieldsPatch {
  readonly patch: Readonly<Record<string, string | null>>;
  /** What is the pool's from then on. */
  readonly kept: Readonly<Record<string, string>>;
}

function fieldsPatch(
  present: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): FieldsPatch {
  const patch: Record<string, string | null> = {};
  const kept: Record<string, string> = {};
  for (const [key, value] of Object.entries(wanted)) {
    const isOurs = present[key] === undefined || present[key] === given[key];
    if (!isOurs || OWN.has(key)) continue;
    kept[key] = value;
    if (present[key] !== value) patch[key] = value;
  }
  for (const [key, value] of Object.entries(given))
    if (wanted[key] === undefined && present[key] === value && !OWN.has(key)) patch[key] = null;
  return { patch, kept };
}

function taintsPatch(
  present: readonly unknown[],
  given: readonly PoolTaint[],
  wanted: readonly PoolTaint[],
): { readonly changed: readonly unknown[] | undefined; readonly kept: readonly PoolTaint[] } {
  const isOurs = (taint: unknown): boolean => {
    const own = taintOf(record(taint));
    return given.some((one) => idOf(one) === idOf(own) && one.value === own.value);
  };
  const others = present.filter((taint) => !isOurs(taint));
  const taken = new Set(others.map((taint) => idOf(taintOf(record(taint)))));
  const kept = wanted.filter((taint) => !taken.has(idOf(taint)));
  const before = present.filter(isOurs).map((taint) => taintOf(record(taint)));
  const isSame = before.map(wordsOf).sort().join() === kept.map(wordsOf).sort().join();
  const made = kept.map(({ key, value, effect }) => ({ key, ...(value !== '' && { value }), effect }));
  return { changed: isSame ? undefined : [...others, ...made], kept };
}

function taintOf(taint: Readonly<Record<string, unknown>>): PoolTaint {
  return { key: text(taint['key']), value: text(taint['value']), effect: text(taint['effect']) };
}

/** Of two taints with one key and effect a Node may have one. */
function idOf({ key, effect }: PoolTaint): string {
  return `${key}:${effect}`;
}

function wordsOf(taint: PoolTaint): string {
  return `${idOf(taint)}=${taint.value}`;
}

/** null: there is nothing to note. */
function noteOf({ labels, annotations, taints }: Attributes): string | null {
  const isEmpty =
    taints.length === 0 && [labels, annotations].every((fields) => Object.keys(fields).length === 0);
  return isEmpty ? null : JSON.stringify({ labels, annotations, taints });
}
