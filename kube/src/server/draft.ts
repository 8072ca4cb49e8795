import { isPlainObject } from '../meta/json.ts';
import type { KubeObject, OwnerReference } from '../meta/object.ts';

/** `metadata` of a {@link Draft}. */
export interface DraftMeta {
  name?: string;
  generateName?: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/**
 * An object that a request is still working on. Unlike a {@link KubeObject} it may be changed; it is nobody else's.
 * Its fields have been checked against the kind's struct or schema when it was decoded.
 */
export interface Draft {
  apiVersion: string;
  kind: string;
  metadata: DraftMeta;
  [field: string]: unknown;
}

/** A changeable copy of a stored object. */
export function draftOf(object: KubeObject): Draft {
  return structuredClone(object) as Draft; // the copy is plain JSON of the same shape, not frozen
}

/** JSON object whose members may be changed. */
export type MutableRecord = Record<string, unknown>;

/** `value` if it is a JSON object, else an empty one of its own: for reading nested optional fields. */
export function record(value: unknown): MutableRecord {
  return isPlainObject(value) ? value : {};
}

/** The objects in a list; nothing if `value` is no list. */
export function records(value: unknown): MutableRecord[] {
  return Array.isArray(value) ? (value as unknown[]).map(record) : [];
}

/** The strings in a list. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

/** `value` if it is a string, else ''. */
export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `value` if it is a number, else undefined. */
export function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** `parent[key]` as an object; made if it is not there. */
export function ensureRecord(parent: MutableRecord, key: string): MutableRecord {
  const value = parent[key];
  if (isPlainObject(value)) return value;
  const made: MutableRecord = {};
  parent[key] = made;
  return made;
}

/** Sets `parent[key]` unless something is there. */
export function setDefault(parent: MutableRecord, key: string, value: unknown): void {
  if (parent[key] === undefined || parent[key] === null || parent[key] === '') parent[key] = value;
}

/** The map of strings at `value`; empty if there is none. */
export function stringMap(value: unknown): Readonly<Record<string, string>> {
  return isPlainObject(value) ? (value as Readonly<Record<string, string>>) : {};
}

/** Milliseconds since the epoch as the API writes times: RFC 3339, whole seconds, UTC. */
export function apiTime(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 19)}Z`;
}

/** A copy of an object without some of its members. */
export function without(object: object, ...keys: readonly string[]): MutableRecord {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)));
}
