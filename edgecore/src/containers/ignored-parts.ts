import type { Pod } from '../pods/pod.ts';
import { unknownFields } from './known-fields.ts';

/**
 * What of a pod is not done although the pod runs: reasons and messages of Warning events. Ephemeral containers can be
 * added to a pod that runs, which is no cause to end it; fields that a newer API server knows may mean anything.
 */
export function ignoredParts({
  spec,
}: Pod): readonly { readonly reason: string; readonly message: string }[] {
  const ignored: { reason: string; message: string }[] = [];
  const { ephemeralContainers = [] } = spec;
  if (ephemeralContainers.length > 0) {
    const names = ephemeralContainers.map(({ name }) => name).join(', ');
    ignored.push({
      reason: 'EphemeralContainersUnsupported',
      message: `the node does not run ephemeral containers: ${names}`,
    });
  }
  const unknown = unknownFields(spec);
  if (unknown.length > 0) {
    ignored.push({
      reason: 'UnknownFields',
      message: `fields that this release of the edge does not know are ignored: ${unknown.join(', ')}`,
    });
  }
  return ignored;
}
