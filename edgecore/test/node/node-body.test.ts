import assert from 'node:assert/strict';
import { edgeConfig, type EdgeConfigInput } from '../../src/config/options.ts';
import { nodeBody, nodeIps, type NodeBody, type NodeBodyInput } from '../../src/node/node-body.ts';
import type { NodeCondition } from '../../src/node/node-conditions.ts';
import { FACTS, READING } from './sample-machine.ts';

const T0 = Date.UTC(2026, 0, 1);

function body(config: EdgeConfigInput = {}, more: Partial<NodeBodyInput> = {}): NodeBody {
  return nodeBody({
    node: 'edge-1',
    config: edgeConfig(config),
    facts: FACTS,
    reading: READING,
    pressures: new Set(),
    runtimeVersion: 'null://',
    notReady: undefined,
    readyMessage: 'ready',
    previous: [],
    nowMs: T0,
    ...more,
  });
}

function condition({ status }: NodeBody, type: string): NodeCondition | undefined {
  return (status['conditions'] as readonly NodeCondition[]).find((each) => each.type === type);
}

describe('registration of a node', () => {
  it('has the labels of a kubelet and those of the configuration', () => {
    const { labels, annotations, taints } = body({
      node: {
        labels: { 'topology.kubernetes.io/zone': 'site-7' },
        annotations: { a: 'b' },
        taints: [{ key: 'edge', effect: 'NoSchedule' }],
      },
    });
    assert.deepEqual(labels, {
      'beta.kubernetes.io/arch': 'arm64',
      'beta.kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'arm64',
      'kubernetes.io/hostname': 'edge-1',
      'kubernetes.io/os': 'linux',
      'topology.kubernetes.io/zone': 'site-7',
    });
    assert.deepEqual(annotations, { a: 'b' });
    assert.deepEqual(taints, [{ key: 'edge', effect: 'NoSchedule' }]);
  });

  it('tells what the machine is', () => {
    const { status } = body();
    assert.deepEqual(status['nodeInfo'], {
      machineID: 'm',
      systemUUID: 's',
      bootID: 'b',
      kernelVersion: '6.1.0',
      osImage: 'Debian GNU/Linux 12 (bookworm)',
      containerRuntimeVersion: 'null://',
      kubeletVersion: 'v1.36.0-hawser.0.1',
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'arm64',
    });
    assert.deepEqual(status['addresses'], [
      { type: 'InternalIP', address: '192.0.2.7' },
      { type: 'InternalIP', address: '2001:db8::7' },
      { type: 'Hostname', address: 'edge-1' },
    ]);
  });

  it('keeps from pods what is reserved and what pressure keeps free', () => {
    const { status } = body({ reserved: { cpu: '500m', memory: '256Mi', ephemeralStorage: '1Gi' } });
    assert.deepEqual(status['capacity'], {
      cpu: '4',
      'ephemeral-storage': `${10 * 2 ** 20}Ki`,
      memory: `${2 * 2 ** 20}Ki`,
      pods: '110',
    });
    assert.deepEqual(status['allocatable'], {
      cpu: '3500m',
      'ephemeral-storage': String(9 * 2 ** 30 - 2 ** 30),
      memory: `${(2048 - 256 - 100) * 1024}Ki`,
      pods: '110',
    });
    const tiny = body({ reserved: { cpu: '9', memory: '9Gi', ephemeralStorage: '99Gi' } }).status[
      'allocatable'
    ];
    assert.deepEqual(tiny, { cpu: '0', 'ephemeral-storage': '0', memory: '0Ki', pods: '110' });
  });

  it('has the conditions of a kubelet, each with the time of its last change', () => {
    const first = body();
    assert.deepEqual(condition(first, 'MemoryPressure'), {
      type: 'MemoryPressure',
      status: 'False',
      reason: 'KubeletHasSufficientMemory',
      message: 'edgecore has sufficient memory available',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    assert.equal(condition(first, 'Ready')?.status, 'True');
    const previous = first.status['conditions'] as readonly NodeCondition[];
    const second = body({}, { previous, nowMs: T0 + 60_000, pressures: new Set(['DiskPressure']) });
    assert.equal(condition(second, 'DiskPressure')?.status, 'True');
    assert.equal(condition(second, 'DiskPressure')?.reason, 'KubeletHasDiskPressure');
    assert.equal(condition(second, 'DiskPressure')?.lastTransitionTime, '2026-01-01T00:01:00Z');
    assert.equal(condition(second, 'Ready')?.lastTransitionTime, '2026-01-01T00:00:00Z');
    const third = body({}, { notReady: 'the disk is gone' });
    assert.deepEqual(
      [condition(third, 'Ready')?.status, condition(third, 'Ready')?.message],
      ['False', 'the disk is gone'],
    );
  });

  it('has nothing in it that flutters on an idle machine', () => {
    const fluttering = {
      ...READING,
      memoryAvailableBytes: READING.memoryAvailableBytes - 50 * 2 ** 20,
      disk: { ...READING.disk, availableBytes: READING.disk.availableBytes - 2 ** 20, inodesFree: 999 },
      pids: { used: 312, max: 4096 },
    };
    assert.deepEqual(body({}, { reading: fluttering, nowMs: T0 + 0 }), body());
  });

  it('takes the address of the configuration before any other', () => {
    assert.deepEqual(nodeIps('203.0.113.9', ['192.0.2.7']), ['203.0.113.9']);
    assert.deepEqual(nodeIps('', ['10.0.0.1', '10.0.0.2', '2001:db8::1']), ['10.0.0.1', '2001:db8::1']);
    assert.deepEqual(nodeIps('', []), []);
  });
});
