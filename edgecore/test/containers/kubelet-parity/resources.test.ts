import assert from 'node:assert/strict';
import { containerResources, sandboxResources } from '../../../src/containers/resources.ts';
import { oomScoreAdj } from '../../../src/containers/oom-score.ts';
import type { Pod, PodContainer, Quantities } from '../../../src/pods/pod.ts';
import type { LinuxResources } from '../../../src/runtime/container-config.ts';
import { makePod } from '../../../testing/pod-maker.ts';

const MI = 2 ** 20;
const NODE = { memoryBytes: 4_000_000_000, cgroupVersion: 1, hugePageSizes: [] } as const;

function container(requests: Quantities, limits: Quantities = {}, name = 'main'): PodContainer {
  return { name, resources: { requests, limits } };
}

function podOf(main: PodContainer, spec: Partial<Pod['spec']> = {}): Pod {
  return makePod('p', { spec: { containers: [main], ...spec } });
}

// Source of the expectations: kubelet, kuberuntime_container_linux_test.go TestGenerateContainerConfig,
// TestCalculateLinuxResources; Kubernetes, "Resource Management for Pods and Containers".
describe('resources of containers, as a kubelet sets them', () => {
  const cases: readonly (readonly [string, PodContainer, LinuxResources])[] = [
    ['nothing said', container({}), { cpuShares: 2, oomScoreAdj: 1000 }],
    [
      'requests and limits',
      container({ cpu: '1', memory: '128Mi' }, { cpu: '2', memory: '256Mi' }),
      {
        cpuShares: 1024,
        cpuQuota: 200_000,
        cpuPeriod: 100_000,
        memoryLimitBytes: 256 * MI,
        oomScoreAdj: 967,
      },
    ],
    [
      'a limit only: the request is the limit',
      container({}, { cpu: '500m', memory: '64Mi' }),
      {
        cpuShares: 512,
        cpuQuota: 50_000,
        cpuPeriod: 100_000,
        memoryLimitBytes: 64 * MI,
        oomScoreAdj: -997,
      },
    ],
    [
      'a request of zero stays zero',
      container({ cpu: '0' }, { cpu: '500m' }),
      { cpuShares: 2, cpuQuota: 50_000, cpuPeriod: 100_000, oomScoreAdj: 999 },
    ],
    [
      'CPU below what a kernel takes',
      container({ cpu: '1m' }, { cpu: '3m' }),
      { cpuShares: 2, cpuQuota: 1000, cpuPeriod: 100_000, oomScoreAdj: 999 },
    ],
    ['a request for memory only', container({ memory: '1G' }), { cpuShares: 2, oomScoreAdj: 750 }],
    [
      'memory as a fraction is rounded up',
      container({}, { memory: '100000001m' }),
      { cpuShares: 2, memoryLimitBytes: 100_001, oomScoreAdj: 999 },
    ],
  ];
  for (const [what, main, expected] of cases) {
    it(what, () => assert.deepEqual(containerResources(podOf(main), main, NODE), expected));
  }

  it('ends whole containers out of memory on cgroup v2', () => {
    const main = container({});
    assert.deepEqual(containerResources(podOf(main), main, { ...NODE, cgroupVersion: 2 }).unified, {
      'memory.oom.group': '1',
    });
  });

  it('gives no huge pages', () => {
    const main = container({});
    const node = { ...NODE, hugePageSizes: ['2MB', '1GB'] };
    assert.deepEqual(containerResources(podOf(main), main, node).hugepageLimits, [
      { pageSize: '2MB', limit: 0 },
      { pageSize: '1GB', limit: 0 },
    ]);
  });

  it('says of a sandbox what its containers take together', () => {
    const main = container({ cpu: '100m' }, { cpu: '1', memory: '64Mi' });
    const pod = podOf(main, { containers: [main, { ...main, name: 'other' }] });
    assert.deepEqual(sandboxResources(pod), {
      cpuShares: 204,
      cpuQuota: 200_000,
      cpuPeriod: 100_000,
      memoryLimitBytes: 128 * MI,
    });
  });
});

// Source of the expectations: kubelet, qos/policy_test.go TestGetContainerOOMScoreAdjust; Kubernetes,
// "Node-pressure Eviction", table of oom_score_adj.
describe('oom_score_adj, as a kubelet sets it', () => {
  const capacity = 4_000_000_000;
  const critical = { priority: 2_000_001_000, priorityClassName: 'system-node-critical' };
  const cases: readonly (readonly [string, PodContainer, Partial<Pod['spec']>, number])[] = [
    ['besteffort', container({}), {}, 1000],
    ['guaranteed', container({}, { cpu: '5m', memory: '10G' }), {}, -997],
    ['burstable, next to nothing of the memory', container({ memory: '1' }), {}, 999],
    ['burstable, a CPU limit only', container({}, { cpu: '1' }), {}, 999],
    ['burstable, half of the memory', container({ memory: 2_000_000_000 }), {}, 500],
    ['burstable, a quarter', container({ memory: '1G' }), {}, 750],
    ['burstable, all but a little', container({ memory: 3_999_999_999 }), {}, 3],
    ['burstable, more than there is', container({ memory: '8G' }), {}, 3],
    ['critical for the node', container({}), critical, -997],
    [
      'critical for the cluster only',
      container({}),
      { ...critical, priorityClassName: 'system-cluster-critical' },
      1000,
    ],
    ['of that class without its priority', container({}), { ...critical, priority: 5 }, 1000],
  ];
  for (const [what, main, spec, expected] of cases) {
    it(what, () => assert.equal(oomScoreAdj(podOf(main, spec), main, capacity), expected));
  }

  const sidecar = (memory: string): PodContainer => ({
    ...container({ memory }, {}, 'side'),
    restartPolicy: 'Always',
  });
  const sidecars: readonly (readonly [string, string, string, number])[] = [
    ['asks for less than what it serves', '1G', '2G', 500],
    ['asks for more', '2G', '1G', 500],
    ['asks for the same', '1G', '1G', 750],
  ];
  for (const [what, own, served, expected] of sidecars) {
    it(`a sidecar that ${what}`, () => {
      const side = sidecar(own);
      const pod = podOf(container({ memory: served }), { initContainers: [side] });
      assert.equal(oomScoreAdj(pod, side, capacity), expected);
    });
  }

  it('an init container by what it asks for itself', () => {
    const init = container({ memory: '1G' }, {}, 'init');
    const pod = podOf(container({ memory: '2G' }), { initContainers: [init] });
    assert.equal(oomScoreAdj(pod, init, capacity), 750);
  });
});
