import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { ResourceClient } from '@hawser/kube';
import { makeTempDir } from '@hawser/seams/testing';
import { API } from '../src/api/resources.ts';
import { startControlPlane } from '../src/control-plane.ts';
import { ControlPlaneError } from '../src/errors.ts';

describe('control plane on disk', function () {
  this.timeout(30_000);

  it('keeps its state, keys and addresses over a restart, and refuses a second one in the same folder', async () => {
    const temp = await makeTempDir();
    try {
      const first = await startControlPlane({ dataDir: temp.path });
      const maps = new ResourceClient(first.client, API.configmaps);
      const made = await maps.create({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'a', namespace: 'default' },
      });
      await assert.rejects(
        startControlPlane({ dataDir: temp.path }),
        (error) => error instanceof ControlPlaneError && error.code === 'ERR_CONTROLPLANE_DATA_DIR',
      );
      await first.stop();
      await first.stop();
      const second = await startControlPlane({ dataDir: temp.path, port: Number(new URL(first.url).port) });
      try {
        assert.deepEqual([second.url, second.ca, second.kubeconfig], [first.url, first.ca, first.kubeconfig]);
        const found = await new ResourceClient(second.client, API.configmaps).get('default', 'a');
        assert.equal(found.metadata.uid, made.metadata.uid);
        assert.ok(new X509Certificate(second.ca).ca);
        await assert.rejects(
          startControlPlane({ port: Number(new URL(second.url).port) }),
          (error) => error instanceof ControlPlaneError && error.code === 'ERR_CONTROLPLANE_LISTEN',
        );
      } finally {
        await second.stop();
      }
    } finally {
      await temp.remove();
    }
  });

  it('is ready in well under a second', async () => {
    const startedMs = performance.now();
    const plane = await startControlPlane();
    const tookMs = performance.now() - startedMs;
    await plane.stop();
    assert.ok(tookMs < 3000, `${Math.round(tookMs)} ms`); // about 150 ms; machines that run tests are busy
  });
});
