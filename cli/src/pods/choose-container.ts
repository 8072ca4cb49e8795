import type { PodView } from '@hawser/edgecore/admin';
import { CliError } from '../errors.ts';

/** Source: kubectl, polymorphichelpers: which container is meant where none is named. */
const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/**
 * The container that is meant: the one that is named, else the pod's default one, else the first.
 * @param tell says which one was taken, where there are several and none was named
 * @throws CliError `ERR_CLI_NOT_FOUND`
 */
export function chooseContainer(
  { pod, name: podName }: PodView,
  named: string | undefined,
  tell: (line: string) => void,
): string {
  const names = pod.spec.containers.map(({ name }) => name);
  const all = [...names, ...(pod.spec.initContainers ?? []).map(({ name }) => name)];
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  const wanted = named ?? annotated;
  if (wanted === undefined) {
    const [first = ''] = names; // a pod has one
    if (all.length > 1) tell(`Container ${first} of ${all.join(', ')}; -c chooses another one.`);
    return first;
  }
  if (all.includes(wanted)) return wanted;
  throw new CliError(
    'ERR_CLI_NOT_FOUND',
    `container ${wanted} is not in pod ${podName}: it has ${all.join(', ')}`,
    {
      about: wanted,
      remedy: 'Name one of those with -c.',
    },
  );
}
