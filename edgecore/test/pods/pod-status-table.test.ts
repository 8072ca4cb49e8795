import assert from 'node:assert/strict';
import { podStatus, type PodStatusInput } from '../../src/pods/pod-status.ts';
import { makePod } from '../../testing/index.ts';
import { exited, NOW, runtimePod } from './runtime-pods.ts';
import { STATUS_ROWS } from './status-rows.ts';
import { image } from './wanted-status.ts';

describe('Status of a pod, field by field', () => {
  for (const { title, pod, given, wanted } of STATUS_ROWS) {
    it(title, () => {
      const input: PodStatusInput = {
        pod: {
          ...pod,
          spec: { ...pod.spec, containers: pod.spec.containers.map((one) => ({ image, ...one })) },
        },
        runtime: undefined,
        previous: undefined,
        runtimeName: 'containerd',
        verdict: () => ({ started: true, ready: true }),
        waiting: new Map(),
        messages: new Map(),
        needsAddress: true,
        end: undefined,
        hostIps: ['192.0.2.1'],
        nowMs: NOW,
        ...given,
      };
      const actual = podStatus(input);
      assert.deepEqual(actual, wanted);
      // Nothing new in between: the same again, whatever time it is.
      const hasChanged =
        given.runtime === undefined && given.previous !== undefined && given.end === undefined;
      if (hasChanged) return;
      assert.deepEqual(podStatus({ ...input, previous: actual, nowMs: NOW + 60_000 }), actual);
    });
  }

  it('keeps the last words of all containers together within 12 KiB', () => {
    const names = ['one', 'two', 'three'];
    const { containerStatuses } = podStatus({
      pod: makePod('a', { spec: { containers: names.map((name) => ({ name })) } }),
      runtime: runtimePod(names.map((name) => exited(name, 1))),
      previous: undefined,
      runtimeName: 'containerd',
      verdict: () => ({ started: true, ready: true }),
      waiting: new Map(),
      messages: new Map(names.map((name) => [`${name}-0`, 'ü'.repeat(4_000)])),
      needsAddress: true,
      end: undefined,
      hostIps: [],
      nowMs: NOW,
    });
    const words = containerStatuses.map(({ state }) => state.terminated?.message ?? '');
    assert.deepEqual(
      words.map((word) => Buffer.byteLength(word)),
      [4096, 4096, 4096],
    );
    assert.ok(words.every((word) => /^ü+$/.test(word)));
  });
});
