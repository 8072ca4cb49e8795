import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import { formatKey } from '@hawser/sync';
import { RecentPods } from '../../src/cache/recent-pods.ts';

const keyOf = (index: number): ReturnType<typeof formatKey> => formatKey('pods', 'default', `pod-${index}`);
const podOf = (index: number, resourceVersion = '1'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'default', name: `pod-${index}`, resourceVersion },
});

describe('Pods that passed by', () => {
  it('are the latest 128', () => {
    const recent = new RecentPods();
    for (let index = 0; index < 128; index++) recent.note(keyOf(index), podOf(index));
    recent.note(keyOf(0), podOf(0, '2'));
    recent.note(keyOf(128), podOf(128));
    assert.equal(recent.get(keyOf(0))?.metadata.resourceVersion, '2');
    assert.equal(recent.get(keyOf(1)), undefined);
    assert.equal(recent.get(keyOf(2))?.metadata.name, 'pod-2');
    assert.equal(recent.get(keyOf(128))?.metadata.name, 'pod-128');
  });

  it('are forgotten with what they were of', () => {
    const recent = new RecentPods();
    recent.note(keyOf(1), podOf(1));
    recent.forget(keyOf(1));
    assert.equal(recent.get(keyOf(1)), undefined);
  });
});
