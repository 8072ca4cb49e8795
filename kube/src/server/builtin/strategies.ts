import { jsonEqual } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import type { Draft } from '../draft.ts';
import type { ResourceStrategy, SubresourceDefinition, UpdateStrategy } from '../registry/definition.ts';
import { decodeStruct } from '../types/decode.ts';
import { PART_VERBS } from './define.ts';

/** The `status` of a new object of a kind: that of its struct's zero value. */
export function zeroStatus(struct: string): unknown {
  return decodeStruct(struct, {}, [])['status'];
}

/** Puts the stored value of a member back. */
export function keep(draft: Draft, old: KubeObject, key: string): void {
  if (old[key] === undefined) Reflect.deleteProperty(draft, key);
  else draft[key] = old[key];
}

/** Raises `metadata.generation` if the spec changed. */
export function bumpGeneration(draft: Draft, old: KubeObject): void {
  if (!jsonEqual(draft['spec'], old['spec'])) draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** Raises `metadata.generation` if one of these members changed. */
export function bumpGenerationOf(draft: Draft, old: KubeObject, keys: readonly string[]): void {
  if (keys.every((key) => jsonEqual(draft[key], old[key]))) return;
  draft.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** How a kind with spec and status is kept. */
export interface SpecStatusOptions {
  /** Whether the kind counts generations. */
  readonly generation: boolean;
  /** Whether the kind has a status that clients cannot write with the rest. */
  readonly status: boolean;
}

/**
 * Hooks of a kind with spec and status: a new object has an empty status and generation 1; its status is written
 * through the subresource alone.
 */
export function specStatus(
  struct: string,
  { generation, status }: SpecStatusOptions,
): Required<Pick<ResourceStrategy, 'prepareForCreate' | 'prepareForUpdate'>> {
  return {
    prepareForCreate(draft) {
      if (status) draft['status'] = zeroStatus(struct);
      if (generation) draft.metadata.generation = 1;
    },
    prepareForUpdate(draft, old) {
      if (status) keep(draft, old, 'status');
      if (generation) bumpGeneration(draft, old);
    },
  };
}

/** What a status subresource may not change. */
export interface StatusOptions {
  /** Whether labels stay as they are. Default false. */
  readonly keepLabels?: boolean;
  /** Further members of metadata that stay. */
  readonly keepOwners?: boolean;
}

/** The strategy of a status subresource: everything but the status stays. */
export function statusStrategy(
  options: StatusOptions = {},
  validateUpdate?: UpdateStrategy['validateUpdate'],
): UpdateStrategy {
  return {
    prepareForUpdate(draft, old) {
      keep(draft, old, 'spec');
      if (options.keepLabels === true) keepMeta(draft, old, 'labels');
      if (options.keepOwners === true) keepMeta(draft, old, 'ownerReferences');
    },
    ...(validateUpdate === undefined ? {} : { validateUpdate }),
  };
}

function keepMeta(draft: Draft, old: KubeObject, key: 'labels' | 'ownerReferences'): void {
  const { metadata } = structuredClone(old) as Draft; // plain JSON of the same shape
  if (metadata[key] === undefined) Reflect.deleteProperty(draft.metadata, key);
  else Object.assign(draft.metadata, { [key]: metadata[key] });
}

/** The status subresource. */
export function statusSubresource(strategy: UpdateStrategy = statusStrategy()): SubresourceDefinition {
  return { name: 'status', verbs: PART_VERBS, behaviour: { type: 'part', strategy } };
}
