import assert from 'node:assert/strict';
import { cgroupLimits, type CgroupLimits } from '../../src/cgroups/pod-limits.ts';
import { podLimits, podRequests } from '../../src/cgroups/pod-amounts.ts';
import type { Pod, PodContainer, Quantities } from '../../src/pods/pod.ts';
import { makePod } from '../../testing/pod-maker.ts';

const MI = 2 ** 20;

function container(name: string, requests: Quantities, limits: Quantities = {}): PodContainer {
  return { name, resources: { requests, limits } };
}

function sidecar(name: string, requests: Quantities): PodContainer {
  return { ...container(name, requests), restartPolicy: 'Always' };
}

function pod(spec: Partial<Pod['spec']>): Pod {
  return makePod('p', { spec });
}

// Source of the expectations: kubelet, cm/helpers_linux_test.go TestResourceConfigForPod.
describe('cgroupLimits', () => {
  const cases: readonly (readonly [string, Partial<Pod['spec']>, CgroupLimits])[] = [
    ['besteffort', { containers: [container('a', {})] }, { cpuShares: 2 }],
    [
      'burstable without limits',
      { containers: [container('a', { cpu: '100m', memory: '100Mi' })] },
      { cpuShares: 102 },
    ],
    [
      'burstable with limits',
      { containers: [container('a', { cpu: '100m', memory: '100Mi' }, { cpu: '200m', memory: '200Mi' })] },
      { cpuShares: 102, cpuQuota: 20_000, memoryBytes: 200 * MI },
    ],
    [
      'burstable, limits of one container only',
      {
        containers: [
          container('a', { cpu: '100m', memory: '100Mi' }, { cpu: '200m', memory: '200Mi' }),
          container('b', { cpu: '100m', memory: '100Mi' }),
        ],
      },
      { cpuShares: 204 },
    ],
    [
      'burstable, memory limits of all, CPU limit of one',
      {
        containers: [
          container('a', { cpu: '100m' }, { cpu: '200m', memory: '200Mi' }),
          container('b', { cpu: '100m' }, { memory: '100Mi' }),
        ],
      },
      { cpuShares: 204, memoryBytes: 300 * MI },
    ],
    [
      'guaranteed',
      { containers: [container('a', { cpu: '100m', memory: '100Mi' }, { cpu: '100m', memory: '100Mi' })] },
      { cpuShares: 102, cpuQuota: 10_000, memoryBytes: 100 * MI },
    ],
    [
      'guaranteed, requests left to the limits',
      { containers: [container('a', {}, { cpu: '2', memory: '1Gi' })] },
      { cpuShares: 2048, cpuQuota: 200_000, memoryBytes: 1024 * MI },
    ],
    [
      'an init container without limits',
      {
        initContainers: [container('i', { cpu: '50m' })],
        containers: [container('a', { cpu: '100m' }, { cpu: '200m', memory: '200Mi' })],
      },
      { cpuShares: 102 },
    ],
    [
      'with overhead',
      {
        overhead: { cpu: '10m', memory: '20Mi' },
        containers: [container('a', { cpu: '90m', memory: '100Mi' }, { cpu: '190m', memory: '200Mi' })],
      },
      { cpuShares: 102, cpuQuota: 20_000, memoryBytes: 220 * MI },
    ],
  ];
  for (const [what, spec, expected] of cases) {
    it(what, () => assert.deepEqual(cgroupLimits(pod(spec)), expected));
  }
});

// Source of the expectations: KEP-753, "Resources calculation for scheduling and pod admission".
describe('podRequests', () => {
  const cases: readonly (readonly [string, Partial<Pod['spec']>, number])[] = [
    ['containers add up', { containers: [container('a', { cpu: 1 }), container('b', { cpu: 2 })] }, 3000],
    [
      'the largest init container counts, if larger',
      {
        initContainers: [container('i', { cpu: 5 }), container('j', { cpu: 4 })],
        containers: [container('a', { cpu: 1 })],
      },
      5000,
    ],
    [
      'sidecars run beside the containers',
      { initContainers: [sidecar('s', { cpu: 2 })], containers: [container('a', { cpu: 1 })] },
      3000,
    ],
    [
      'sidecars run beside later init containers',
      {
        initContainers: [sidecar('s', { cpu: 2 }), container('i', { cpu: 5 })],
        containers: [container('a', { cpu: 1 })],
      },
      7000,
    ],
    [
      'and not beside earlier ones',
      {
        initContainers: [container('i', { cpu: 5 }), sidecar('s', { cpu: 2 })],
        containers: [container('a', { cpu: 1 })],
      },
      5000,
    ],
    ['overhead comes on top', { overhead: { cpu: '500m' }, containers: [container('a', { cpu: 1 })] }, 1500],
  ];
  for (const [what, spec, cpu] of cases) {
    it(what, () => assert.equal(podRequests(pod(spec)).cpuMillis, cpu));
  }

  it('has no limit where there is none, whatever the overhead', () => {
    const spec = { overhead: { cpu: 1, memory: '1Gi' }, containers: [container('a', { cpu: 1 })] };
    assert.deepEqual(podLimits(pod(spec)), { cpuMillis: 0, memoryBytes: 0 });
  });
});
