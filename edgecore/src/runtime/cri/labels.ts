import type { ContainerConfig, ContainerNotes, SandboxConfig } from '../container-config.ts';

/**
 * Labels by which tools know pods in a runtime (`crictl`, `nerdctl`, monitoring agents).
 * Source: kubelet, types/labels.go.
 */
export const LABELS = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
  /** Whose it is. What does not have it with our value belongs to somebody else, and is never touched. */
  owner: 'hawser.dev/managed-by',
} as const;

/** Annotations of containers. Source: kubelet, kuberuntime/labels.go; the ones with `hawser.dev` are ours. */
export const ANNOTATIONS = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  terminationMessageFile: 'hawser.dev/termination-message-file',
  image: 'hawser.dev/image',
} as const;

type Texts = Readonly<Record<string, string>>;

/** Labels of a sandbox: those of its pod, and what it is known by. */
export function sandboxLabels(config: SandboxConfig, owner: string): Texts {
  return { ...config.labels, ...podLabels(config, owner) };
}

/** Labels of a container. */
export function containerLabels(sandbox: SandboxConfig, config: ContainerConfig, owner: string): Texts {
  return { ...podLabels(sandbox, owner), [LABELS.containerName]: config.name };
}

/** What is asked for to get only what is ours, and only one pod's where a UID is given. */
export function labelSelector(owner: string, uid?: string): Texts {
  return { [LABELS.owner]: owner, ...(uid === undefined ? {} : { [LABELS.podUid]: uid }) };
}

function podLabels(config: SandboxConfig, owner: string): Texts {
  return {
    [LABELS.podName]: config.name,
    [LABELS.podNamespace]: config.namespace,
    [LABELS.podUid]: config.uid,
    [LABELS.owner]: owner,
  };
}

/** Annotations of a container: a runtime keeps them, {@link notesOf} reads them back. */
export function containerAnnotations(config: ContainerConfig): Texts {
  const { specHash, terminationMessagePath, terminationMessagePolicy, terminationMessageFile } = config.notes;
  return {
    [ANNOTATIONS.hash]: specHash,
    [ANNOTATIONS.restartCount]: String(config.attempt),
    [ANNOTATIONS.terminationMessagePath]: terminationMessagePath,
    [ANNOTATIONS.terminationMessagePolicy]: terminationMessagePolicy,
    [ANNOTATIONS.image]: config.image,
    ...(terminationMessageFile === undefined
      ? {}
      : { [ANNOTATIONS.terminationMessageFile]: terminationMessageFile }),
  };
}

/** The notes of a container. What is not there is empty: such a container is of another hash than any that is wanted. */
export function notesOf(annotations: Texts): ContainerNotes {
  const terminationMessageFile = annotations[ANNOTATIONS.terminationMessageFile];
  return {
    specHash: annotations[ANNOTATIONS.hash] ?? '',
    terminationMessagePath: annotations[ANNOTATIONS.terminationMessagePath] ?? '',
    terminationMessagePolicy: annotations[ANNOTATIONS.terminationMessagePolicy] ?? '',
    ...(terminationMessageFile === undefined ? {} : { terminationMessageFile }),
  };
}
