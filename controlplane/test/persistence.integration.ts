import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { ResourceClient } from '@hawser/kube';
import { systemClock, type Clock, type Timer } from '@hawser/seams';
import { eventually, makeTempDir } from '@hawser/seams/testing';
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

  it('renews its certificates while it runs', async () => {
    // Certificates issued 250 days ago are good, and old enough.
    const clock = new RenewalClock(-250);
    const plane = await startControlPlane({ clock });
    try {
      const kubeconfig = plane.kubeconfig;
      const port = Number(new URL(plane.url).port);
      const served = await servedCertificate(port, plane.ca);
      let told = 0;
      plane.onRenewal(() => (told += 1));
      clock.offsetDays = 0;
      clock.fire();
      await eventually('the kubeconfig is renewed', () => told === 1);
      assert.notEqual(plane.kubeconfig, kubeconfig);
      assert.notEqual(await servedCertificate(port, plane.ca), served);
      const { items } = await new ResourceClient(plane.client, API.namespaces).list('');
      assert.equal(items.length, 4);
    } finally {
      await plane.stop();
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

const HOUR_MS = 3_600_000;

/** The machine's clock with the date moved, and with timers of hours that fire when the test says so. */
class RenewalClock implements Clock {
  offsetDays: number;
  readonly #late = new Set<() => void>();

  constructor(offsetDays: number) {
    this.offsetDays = offsetDays;
  }

  wallMs(): number {
    return systemClock.wallMs() + this.offsetDays * 24 * HOUR_MS;
  }

  monotonicMs(): number {
    return systemClock.monotonicMs();
  }

  setTimer(delayMs: number, callback: () => void, options?: { background?: boolean }): Timer {
    if (delayMs < 2 * HOUR_MS) return systemClock.setTimer(delayMs, callback, options);
    this.#late.add(callback);
    return { cancel: () => this.#late.delete(callback) };
  }

  fire(): void {
    for (const callback of [...this.#late]) {
      this.#late.delete(callback);
      callback();
    }
  }
}

/** The certificate that the server shows to a new connection, which it must prove to be of `ca`. */
async function servedCertificate(port: number, ca: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca });
  try {
    await once(socket, 'secureConnect');
    return socket.getPeerCertificate().fingerprint256;
  } finally {
    socket.destroy();
  }
}
