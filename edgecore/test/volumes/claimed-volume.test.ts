import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { makeTempDir, type TempDir } from '@hawser/seams/testing';
import { PodError } from '../../src/pods/pod-error.ts';
import type { Pod } from '../../src/pods/pod.ts';
import { findClaimed, type ClaimedVolume } from '../../src/volumes/claimed-volume.ts';
import { makePod } from '../../testing/pod-maker.ts';
import { MemoryObjects } from './memory-objects.ts';

const PROCESSING =
  'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], ' +
  'failed to process volumes=[data]: error processing PVC default/claim: ';

describe('claims', () => {
  let dir: TempDir;
  let objects: MemoryObjects;
  let seen: string[];
  before(async () => {
    dir = await makeTempDir();
    mkdirSync(path.join(dir.path, 'disk'));
    writeFileSync(path.join(dir.path, 'file'), '');
  });
  after(() => dir.remove());
  beforeEach(() => {
    objects = new MemoryObjects();
    seen = [];
    claim({});
    volume({ local: { path: path.join(dir.path, 'disk') } });
    objects.set('nodes//edge-1', { metadata: { labels: { zone: 'north' } } });
  });

  function claim(wish: { metadata?: object; spec?: object; status?: object }): void {
    objects.set('persistentvolumeclaims/default/claim', {
      metadata: { name: 'claim', uid: 'c-1', ...wish.metadata },
      spec: { volumeName: 'pv', ...wish.spec },
      status: { phase: 'Bound', ...wish.status },
    });
  }

  function volume(spec: object, annotations: object = {}): void {
    objects.set('persistentvolumes//pv', {
      metadata: { name: 'pv', annotations },
      spec: {
        capacity: { storage: '1Gi' },
        claimRef: { uid: 'c-1' },
        accessModes: ['ReadWriteOnce'],
        ...spec,
      },
    });
  }

  function pod(readOnly?: boolean): Pod {
    return makePod('web', {
      spec: {
        containers: [{ name: 'main', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        volumes: [
          {
            name: 'data',
            persistentVolumeClaim: { claimName: 'claim', ...(readOnly !== undefined && { readOnly }) },
          },
        ],
      },
    });
  }

  function find(readOnly?: boolean): Promise<ClaimedVolume> {
    const persistentVolumeClaim = { claimName: 'claim', ...(readOnly !== undefined && { readOnly }) };
    return findClaimed(pod(), { name: 'data', persistentVolumeClaim }, 'edge-1', objects, (key) =>
      seen.push(key),
    );
  }

  it('lead to a local volume', async () => {
    const hostPath = path.join(dir.path, 'disk');
    assert.deepEqual(await find(), { name: 'pv', readOnly: false, hostPath, kind: 'local' });
    assert.deepEqual(seen, ['persistentvolumeclaims/default/claim', 'persistentvolumes//pv']);
  });

  it('lead to a path of the host, read-only, with a group', async () => {
    const hostPath = path.join(dir.path, 'made');
    volume(
      { hostPath: { path: hostPath, type: 'DirectoryOrCreate' } },
      { 'pv.beta.kubernetes.io/gid': '1234' },
    );
    assert.deepEqual(await find(true), { name: 'pv', readOnly: true, hostPath, kind: 'hostPath', gid: 1234 });
  });

  it('are for this node only', async () => {
    const near = (zone: string): void =>
      volume({
        local: { path: path.join(dir.path, 'disk') },
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] }],
          },
        },
      });
    near('north');
    await find();
    assert.equal(seen.at(-1), 'nodes//edge-1');
    near('south');
    await fails('MountVolume.NodeAffinity check failed for volume "pv" : no matching NodeSelectorTerms');
  });

  async function fails(message: string, isFinal = false): Promise<void> {
    await assert.rejects(find(), (error) => {
      assert.ok(error instanceof PodError, String(error));
      assert.deepEqual([error.reason, error.message, error.isFinal], ['FailedMount', message, isFinal]);
      return true;
    });
  }

  const processing: readonly (readonly [string, () => void, boolean?])[] = [
    [
      'failed to fetch PVC from API server: persistentvolumeclaims "claim" not found',
      () => objects.set('persistentvolumeclaims/default/claim', undefined),
    ],
    ['PVC is being deleted', () => claim({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
    ['PVC is not bound', () => claim({ status: { phase: 'Pending' } })],
    ['PVC has empty pvc.Spec.VolumeName', () => claim({ spec: { volumeName: '' } })],
    [
      'failed to fetch PV pv from API server: persistentvolumes "pv" not found',
      () => objects.set('persistentvolumes//pv', undefined),
    ],
    [
      'found PV object pv but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim',
      () => volume({ claimRef: undefined }),
    ],
    [
      'found PV object pv but its pv.Spec.ClaimRef.UID other does not point to claim.UID c-1',
      () => volume({ claimRef: { uid: 'other' } }),
    ],
    [
      'volume data has volumeMode Block, but is specified in volumeMounts',
      () => volume({ volumeMode: 'Block', local: { path: '/dev/sda' } }),
      true,
    ],
    [
      'persistentvolumes//pv cannot be read',
      () => {
        objects.broken.add('persistentvolumes//pv');
      },
    ],
  ];
  for (const [message, prepare, isFinal] of processing) {
    it(`say: ${message}`, async () => {
      prepare();
      await fails(PROCESSING + message, isFinal);
    });
  }

  const mounting: readonly (readonly [object, string, boolean?])[] = [
    [
      { hostPath: { path: '/none', type: 'Directory' } },
      'MountVolume.SetUp failed for volume "pv" : hostPath type check failed: /none is not a directory',
    ],
    [
      { local: { path: '/none' } },
      'MountVolume.NewMounter initialization failed for volume "pv" : path "/none" does not exist',
    ],
    [
      { local: { path: '/dev/null' } },
      'MountVolume.NewMounter initialization failed for volume "pv" : only directory and block device are supported',
    ],
    [
      { nfs: { server: 's' } },
      'MountVolume.SetUp failed for volume "pv" : this node has no persistent volumes of kind nfs',
      true,
    ],
    [
      { local: { path: '/tmp' }, mountOptions: ['noatime'] },
      'MountVolume.SetUp failed for volume "pv" : Mount options are not supported for this volume type',
      true,
    ],
  ];
  for (const [spec, message, isFinal] of mounting) {
    it(`say: ${message}`, async () => {
      volume(spec);
      await fails(message, isFinal);
    });
  }
});
