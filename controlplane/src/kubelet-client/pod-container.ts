import { badRequest, isPlainObject, type KubeObject } from '@hawser/kube';

const LISTS = ['initContainers', 'containers', 'ephemeralContainers'];

/** The node that a pod is bound to; `''`: none. */
export function nodeOfPod(pod: KubeObject): string {
  const spec = isPlainObject(pod['spec']) ? pod['spec'] : {};
  return typeof spec['nodeName'] === 'string' ? spec['nodeName'] : '';
}

/**
 * The container that is meant: the one that was named, or the only one.
 * Source: kubernetes pkg/registry/core/pod, validateContainer.
 * @throws StatusError BadRequest
 */
export function containerOf(pod: KubeObject, asked: string): string {
  const { name: podName = '' } = pod.metadata;
  const all = LISTS.flatMap((list) => namesIn(pod, list));
  if (asked !== '') {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${podName}`);
    return asked;
  }
  const [only, ...others] = namesIn(pod, 'containers');
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${podName}`);
  if (others.length === 0) return only;
  throw badRequest(
    `a container name must be specified for pod ${podName}, choose one of: [${all.join(' ')}]`,
  );
}

function namesIn(pod: KubeObject, list: string): readonly string[] {
  const spec = isPlainObject(pod['spec']) ? pod['spec'] : {};
  const containers = spec[list];
  if (!Array.isArray(containers)) return [];
  return containers
    .filter(isPlainObject)
    .map(({ name }) => name)
    .filter((name) => typeof name === 'string');
}
