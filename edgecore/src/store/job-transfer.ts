import type { ReplicaChange } from '@hawser/sync';
import type { Job } from './store-protocol.ts';

/**
 * Jobs as they go to the worker: bytes are copied into buffers of their own and handed over. Without that, a slice of a
 * larger buffer would take all of it along.
 */
export function transferable(jobs: readonly Job[]): {
  readonly jobs: readonly Job[];
  transfer: ArrayBuffer[];
} {
  const transfer: ArrayBuffer[] = [];
  const copy = (bytes: Uint8Array): Uint8Array => {
    const own = new Uint8Array(bytes);
    transfer.push(own.buffer);
    return own;
  };
  return { jobs: jobs.map((job) => copied(job, copy)), transfer };
}

function copied(job: Job, copy: (bytes: Uint8Array) => Uint8Array): Job {
  switch (job.type) {
    case 'apply': {
      const { record } = job;
      return {
        ...job,
        changes: job.changes.map((change) => copiedChange(change, copy)),
        record: record && { normalForm: record.normalForm, stamp: copy(record.stamp) },
      };
    }
    case 'outbox':
      return { ...job, put: job.put.map((entry) => ({ ...entry, body: copy(entry.body) })) };
    case 'state':
      return 'put' in job.change
        ? { ...job, change: { put: { ...job.change.put, bytes: copy(job.change.put.bytes) } } }
        : job;
  }
}

function copiedChange(change: ReplicaChange, copy: (bytes: Uint8Array) => Uint8Array): ReplicaChange {
  if ('remove' in change) return change;
  const { key, hash, version, bytes } = change.put;
  return { put: { key, hash, version, bytes: copy(bytes) } };
}
