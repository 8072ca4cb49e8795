import type { KubeObject } from '../../meta/object.ts';
import type { GroupResource } from '../../store/store.ts';
import type { UserInfo } from '../auth/user.ts';
import type { Draft } from '../draft.ts';

/** A write that is about to happen. Source: k8s.io/apiserver admission Attributes. */
export interface AdmissionAttributes {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';
  readonly resource: GroupResource;
  readonly version: string;
  readonly kind: string;
  readonly subresource: string;
  readonly namespace: string;
  /** '' on creation by generateName. */
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The new state, which plug-ins may change; absent on DELETE. On subresources, that subresource's own object. */
  readonly object?: Draft;
  /** The present state on UPDATE and DELETE. */
  readonly oldObject?: KubeObject;
}

/** Looks at writes before they are validated and stored: it may change the object, or refuse. */
export interface AdmissionPlugin {
  /**
   * @throws StatusError to refuse.
   */
  admit(attributes: AdmissionAttributes): void | Promise<void>;
}

/** Runs plug-ins in order. */
export async function admit(
  plugins: readonly AdmissionPlugin[],
  attributes: AdmissionAttributes,
): Promise<void> {
  for (const plugin of plugins) await plugin.admit(attributes);
}

/** Whether the attributes are of that resource (of its group), on the resource itself or that subresource. */
export function concerns(
  attributes: AdmissionAttributes,
  resource: string,
  group = '',
  subresource = '',
): boolean {
  return (
    attributes.resource.resource === resource &&
    attributes.resource.group === group &&
    attributes.subresource === subresource
  );
}
