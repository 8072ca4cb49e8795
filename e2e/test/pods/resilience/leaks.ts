import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { scaled } from '@hawser/seams/testing';
import { shellPod } from '../../../src/pods-site/pods-site.ts';
import { processUsage } from '../../../src/processes/process-usage.ts';
import { shell, STAYS, volumeKinds, volumeSources } from './kinds.ts';
import type { ResilienceSite } from './resilience-site.ts';

const TOGETHER = 13;
const PODS = scaled(2, 77) * TOGETHER;
/** What a process may have more of than after the first pods: connections that come and go. */
const MORE_FILES = 8;
const MORE_MEMORY_BYTES = scaled(30, 40) * 1024 * 1024;
const HOST_PORT = 28_000;

/** Pods come and go, with something of everything. */
export function describeLeaks(open: () => ResilienceSite): void {
  describe(`after ${PODS} pods that came and went`, () => {
    it('has nothing more than before', async () => {
      const site = open();
      const { containerd, edge } = site.pods;
      await site.create(...volumeSources('leaks'));
      const { volumes, mounts } = volumeKinds('leaks', path.join(containerd.dir, 'leaks'));
      let first: { readonly files: number; readonly rssBytes: number } | undefined;
      for (let made = 0; made < PODS; made += TOGETHER) {
        const names = Array.from({ length: TOGETHER }, (_, index) => `leak-${made + index}`);
        await site.create(
          ...names.map((name, index) =>
            shellPod(name, STAYS, {
              spec: {
                volumes,
                initContainers: [shell('first', 'true', { volumeMounts: mounts })],
                securityContext: { fsGroup: 2000 },
              },
              container: {
                volumeMounts: mounts,
                ports: [{ containerPort: 8080, hostPort: HOST_PORT + index }],
                startupProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
                readinessProbe: { exec: { command: ['cat', '/v/secret/key'] }, periodSeconds: 1 },
                livenessProbe: { tcpSocket: { port: 9 }, periodSeconds: 1, initialDelaySeconds: 60 },
                lifecycle: {
                  postStart: { exec: { command: ['true'] } },
                  preStop: { exec: { command: ['true'] } },
                },
              },
            }),
          ),
        );
        await site.untilReady(names);
        await site.remove(names);
        first ??= await usageOf(edge.process.pid);
      }
      await site.untilNothingLeft();
      await edge.until(({ outbox }) => outbox.waiting === 0);
      const last = await usageOf(edge.process.pid);
      assert.ok(first !== undefined);
      const told = `${JSON.stringify(first)} → ${JSON.stringify(last)}`;
      assert.ok(last.files <= first.files + MORE_FILES, `open files: ${told}`);
      assert.ok(last.rssBytes <= first.rssBytes + MORE_MEMORY_BYTES, `memory: ${told}`);
      console.log(`        of the edge: ${told}`);
    });
  });
}

async function usageOf(pid: number): Promise<{ readonly files: number; readonly rssBytes: number }> {
  const [files, { rssBytes }] = await Promise.all([readdir(`/proc/${pid}/fd`), processUsage(pid)]);
  return { files: files.length, rssBytes };
}
