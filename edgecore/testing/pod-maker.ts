import type { Pod } from '../src/pods/pod.ts';

/** A pod as an API server would give it, with what a test wants of it. */
export function makePod(
  name: string,
  wish: {
    readonly uid?: string;
    readonly metadata?: Partial<Pod['metadata']>;
    readonly spec?: Partial<Pod['spec']>;
  } = {},
): Pod {
  return {
    metadata: { name, namespace: 'default', uid: wish.uid ?? `uid-${name}`, generation: 1, ...wish.metadata },
    spec: {
      nodeName: 'edge-1',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      serviceAccountName: 'default',
      containers: [{ name: 'main', image: 'registry.example/app:1' }],
      ...wish.spec,
    },
  };
}
