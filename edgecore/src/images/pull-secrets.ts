import { formatKey } from '@hawser/sync';
import type { Logger } from '@hawser/seams';
import type { ObjectSource } from '../objects/object-source.ts';
import { podName, type Pod } from '../pods/pod.ts';
import { readPullSecret, type ScopedLogin } from './registry-logins.ts';

/** What a pod's pull secrets hold. */
export interface PullSecrets {
  readonly logins: readonly ScopedLogin[];
  /** Names of those that are not here, or cannot be read. */
  readonly missing: readonly string[];
}

/** Reads the pull secrets of a pod. A missing one is no error: the pull may work without it. */
export async function readPullSecrets(pod: Pod, objects: ObjectSource, log: Logger): Promise<PullSecrets> {
  const logins: ScopedLogin[] = [];
  const missing: string[] = [];
  for (const { name } of pod.spec.imagePullSecrets ?? []) {
    if (name === undefined || name === '') continue; // the API lets it pass
    try {
      const secret = await objects.get(formatKey('secrets', pod.metadata.namespace, name));
      if (secret === undefined) missing.push(name);
      else logins.push(...readPullSecret(secret));
    } catch (error) {
      log.warn({ err: error, pod: podName(pod), secret: name }, 'a pull secret cannot be read');
      missing.push(name);
    }
  }
  return { logins, missing };
}
