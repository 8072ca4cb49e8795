import { TEST_IMAGES } from '@hawser/edgecore/testing';
import type { KubeObject } from '@hawser/kube';
import { configMap } from '../../../src/cluster-site/site-objects.ts';
import { shellPod } from '../../../src/pods-site/pods-site.ts';

/** Ends at once when it is asked to. */
export const STAYS = 'trap "exit 0" TERM; while true; do sleep 1 & wait $!; done';

/** A container that runs a shell command. */
export function shell(name: string, command: string, more: object = {}): object {
  return { name, image: TEST_IMAGES.busybox, command: ['sh', '-c', command], ...more };
}

/** What {@link volumeKinds} reads. */
export function volumeSources(name: string): readonly KubeObject[] {
  return [
    configMap(`${name}-config`, 'configured'),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${name}-secret`, namespace: 'default' },
      stringData: { key: 'hidden' },
    },
  ];
}

/** A volume of each kind that needs no claim, and where they are mounted. */
export function volumeKinds(
  name: string,
  hostDir: string,
): { readonly volumes: object; readonly mounts: object } {
  const volumes = [
    { name: 'disk', emptyDir: {} },
    { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
    { name: 'host', hostPath: { path: hostDir, type: 'DirectoryOrCreate' } },
    { name: 'config', configMap: { name: `${name}-config` } },
    { name: 'secret', secret: { secretName: `${name}-secret` } },
    { name: 'info', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    {
      name: 'token',
      projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }] },
    },
  ];
  const mounts = [
    ...volumes.map((volume) => ({ name: volume.name, mountPath: `/v/${volume.name}` })),
    { name: 'config', mountPath: '/v/one-file', subPath: 'text' },
  ];
  return { volumes, mounts };
}

/** Pods of every kind that a restart has to tell from each other: ready ones, by name, and others. */
export function mixedPods(
  name: string,
  hostDir: string,
): { readonly ready: readonly KubeObject[]; readonly others: readonly KubeObject[] } {
  const { volumes, mounts } = volumeKinds(name, hostDir);
  const ready = [
    shellPod(`${name}-plain`, STAYS),
    shellPod(`${name}-volumes`, STAYS, { spec: { volumes }, container: { volumeMounts: mounts } }),
    shellPod(`${name}-probed`, STAYS, {
      container: {
        startupProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
        readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1, successThreshold: 2 },
        livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1, initialDelaySeconds: 2 },
      },
    }),
    shellPod(`${name}-served`, 'httpd -f -p 8080 -h /www', {
      container: { readinessProbe: { httpGet: { path: '/', port: 8080 }, periodSeconds: 1 } },
    }),
    shellPod(`${name}-staged`, STAYS, {
      spec: {
        initContainers: [
          shell('first', 'true'),
          shell('sidecar', STAYS, {
            restartPolicy: 'Always',
            readinessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
          }),
          shell('second', 'true'),
        ],
      },
    }),
    shellPod(`${name}-host`, STAYS, { spec: { hostNetwork: true } }),
  ];
  const others = [
    shellPod(`${name}-done`, 'echo done', { spec: { restartPolicy: 'Never' } }),
    shellPod(`${name}-failed`, 'exit 3', { spec: { restartPolicy: 'Never' } }),
    shellPod(`${name}-unready`, STAYS, {
      container: { readinessProbe: { exec: { command: ['false'] }, periodSeconds: 1 } },
    }),
  ];
  return { ready, others };
}

export function namesOf(objects: readonly KubeObject[]): readonly string[] {
  return objects.map(({ metadata }) => metadata.name ?? '');
}
