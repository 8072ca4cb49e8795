import type { FieldMap } from '../../meta/field-selector.ts';
import type { JsonObject } from '../../meta/json.ts';
import type { KubeObject } from '../../meta/object.ts';
import type { FieldError } from '../../status/field-error.ts';
import type { GroupResource, ObjectStore } from '../../store/store.ts';
import type { UserInfo } from '../auth/user.ts';
import type { Draft } from '../draft.ts';
import type { TablePrinter } from '../table/printer.ts';

/** Reads and writes the objects of one version of one kind. */
export interface ObjectCodec {
  /**
   * Makes a draft, in the form in which it is stored, of a body's JSON value. Paths of fields that the kind does not
   * have are put into `unknown`, and the fields dropped.
   * @throws DecodeError (a value of the wrong type), StatusError.
   */
  decode(value: JsonObject, unknown: string[]): Draft;
  /** Whether {@link encode} returns every object as it is: then what is stored is served without parsing it. */
  readonly servesStored?: boolean;
  /** The stored object in this version; the object itself where the stored form is this version's. */
  encode(object: KubeObject): KubeObject;
}

/** What a strategy's hooks know of the request. */
export interface StrategyContext {
  readonly user: UserInfo;
  /** RFC 3339, whole seconds. */
  readonly now: string;
  readonly store: ObjectStore;
  readonly dryRun: boolean;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
}

/** What a write through one endpoint (the resource itself, or its status) does to an object. */
export interface UpdateStrategy {
  /** Puts back what this endpoint may not change, and keeps `metadata.generation`. */
  prepareForUpdate?(draft: Draft, old: KubeObject, context: StrategyContext): void;
  /** Checks the new state; `metadata` has been checked. */
  validateUpdate?(draft: Draft, old: KubeObject, context: StrategyContext): FieldError[];
}

/**
 * What is particular to a resource. All hooks are optional; those that change a draft do so in place.
 * Source of the model: k8s.io/apiserver registry/rest strategies.
 */
export interface ResourceStrategy extends UpdateStrategy {
  /** Fills in defaults after each decoding. */
  default?(draft: Draft): void;
  /** Drops what a client may not set, fills in what the server sets. */
  prepareForCreate?(draft: Draft, context: StrategyContext): void;
  /** Checks a new object; `metadata` has been checked. */
  validate?(draft: Draft, context: StrategyContext): FieldError[];
  /** Problems of a name; default: those of a DNS subdomain. */
  nameProblems?(name: string): string[];
  /** Whether a PUT to a missing name creates. Default false. */
  readonly allowCreateOnUpdate?: boolean;
  /** Whether a PUT may leave out the resourceVersion. Default true. */
  readonly allowUnconditionalUpdate?: boolean;
  /** Whether a DELETE answers the object instead of a Status. Default false. */
  readonly returnDeletedObject?: boolean;
  /** Seconds between deletion and removal, or undefined where deletion is not graceful. */
  gracePeriodSeconds?(object: KubeObject, requested: number | undefined): number | undefined;
  /** Called on the draft of an object that begins to be deleted (for namespaces: their phase). */
  prepareForDelete?(draft: Draft, context: StrategyContext): void;
  /** Finalizers that a deletion puts on the object: something else has to be done first. */
  finalizersOnDelete?(object: KubeObject): readonly string[];
  /** Whether an object being deleted, without finalizers in its metadata, must stay all the same. */
  mustStay?(object: KubeObject): boolean;
  /** Called when a creation or update is stored, or has failed: what was reserved for it can be let go. */
  settle?(draft: Draft): void;
}

/** Names a kind with its version. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

/** How a subresource behaves. */
export type SubresourceBehaviour =
  /** The object itself, written through another strategy. */
  | { readonly type: 'part'; readonly strategy: UpdateStrategy }
  /** autoscaling/v1 Scale. */
  | { readonly type: 'scale'; readonly scale: ScaleAccess }
  /** POST of another kind; see the server's actions. */
  | { readonly type: 'action'; readonly action: string }
  /** A stream to somewhere else: log, exec, attach, portforward, proxy. */
  | { readonly type: 'connect' };

/** Reads and writes an object's replicas for its Scale. */
export interface ScaleAccess {
  specReplicas(object: KubeObject): number;
  statusReplicas(object: KubeObject): number;
  /** Selector of the pods in its string form, '' if there is none. */
  selector(object: KubeObject): string;
  setSpecReplicas(draft: Draft, replicas: number): void;
  /** Whose name errors of validation carry: the Scale's (built-ins) or the object's (custom resources). */
  readonly validatesObject: boolean;
}

/** A subresource. */
export interface SubresourceDefinition {
  readonly name: string;
  readonly verbs: readonly string[];
  /** Kind of what it answers; default the resource's own. Group and version '' in discovery mean the resource's. */
  readonly responseKind?: GroupVersionKind;
  readonly behaviour: SubresourceBehaviour;
}

/** A selectable field beside metadata.name and metadata.namespace. */
export type FieldLabels = (object: KubeObject) => FieldMap;

/** One version of one resource that the server serves. */
export interface ResourceDefinition {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly listKind: string;
  /** Lower-case plural. */
  readonly resource: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceDefinition[];
  readonly storageVersionHash: string | undefined;
  /** Where the objects are kept; several definitions may share one place. */
  readonly storage: GroupResource;
  readonly codec: ObjectCodec;
  readonly strategy: ResourceStrategy;
  /** Names of selectable fields beside the two of metadata. */
  readonly fieldNames: readonly string[];
  readonly fields: FieldLabels;
  readonly table: TablePrinter;
  /** Custom resources: items of lists carry kind and apiVersion, bodies must, and patches are never strategic. */
  readonly custom: boolean;
  /** Sent as a Warning with each answer. */
  readonly deprecationWarning: string | undefined;
  /** Review kinds and the like are never stored: POST runs this action. */
  readonly action: string | undefined;
  /** Name of the struct in the field tables, or undefined for custom resources. */
  readonly struct: string | undefined;
  /** Of custom resources: the schema, for the OpenAPI document. */
  readonly openApiSchema: object | undefined;
}

/** The apiVersion of a definition, e.g. `v1`, `apps/v1`. */
export function apiVersionOf({ group, version }: { group: string; version: string }): string {
  return group === '' ? version : `${group}/${version}`;
}
