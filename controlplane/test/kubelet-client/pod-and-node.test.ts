import assert from 'node:assert/strict';
import type { KubeObject } from '@hawser/kube';
import { kubeletAddress } from '../../src/kubelet-client/node-address.ts';
import { containerOf, nodeOfPod } from '../../src/kubelet-client/pod-container.ts';

const pod = (containers: readonly string[], spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'default', name: 'web' },
  spec: { containers: containers.map((name) => ({ name })), ...spec },
});
const node = (status: object): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  status,
});

describe('the container that is meant', () => {
  it('is the one that was named, or the only one', () => {
    assert.equal(containerOf(pod(['a']), ''), 'a');
    const many = pod(['a', 'b'], {
      initContainers: [{ name: 'setup' }],
      ephemeralContainers: [{ name: 'debug' }],
    });
    for (const name of ['a', 'b', 'setup', 'debug']) assert.equal(containerOf(many, name), name);
  });

  it('has to be named where there are several, in the words of kube-apiserver', () => {
    const message = (found: KubeObject, asked = ''): string => {
      try {
        return containerOf(found, asked);
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.equal(
      message(pod(['a', 'b'])),
      'a container name must be specified for pod web, choose one of: [a b]',
    );
    assert.equal(
      message(pod(['a', 'b'], { initContainers: [{ name: 'setup' }] })),
      'a container name must be specified for pod web, choose one of: [setup a b]',
    );
    assert.equal(message(pod([])), 'a container name must be specified for pod web');
    assert.equal(message(pod(['a']), 'z'), 'container z is not valid for pod web');
  });
});

describe('where a kubelet is', () => {
  it('is the first address of the type that counts most, and its port', () => {
    const addresses = [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'Hostname', address: 'hub.test' },
    ];
    const daemonEndpoints = { kubeletEndpoint: { Port: 12_345 } };
    assert.deepEqual(kubeletAddress(node({ addresses, daemonEndpoints })), {
      host: 'hub.test',
      port: 12_345,
    });
    assert.deepEqual(kubeletAddress(node({ addresses: addresses.slice(0, 1) })), {
      host: '10.0.0.1',
      port: 10_250,
    });
    assert.throws(
      () => kubeletAddress(node({})),
      /node n: no preferred addresses found; known addresses: \[\]/,
    );
    assert.equal(nodeOfPod(pod(['a'], { nodeName: 'edge-1' })), 'edge-1');
    assert.equal(nodeOfPod(pod(['a'])), '');
  });
});
