import assert from 'node:assert/strict';
import type { Pod } from '../../src/api/pod.ts';
import {
  isJobFinished,
  jobBackoffMs,
  planJob,
  removalInMs,
  type Job,
} from '../../src/controllers/job-plan.ts';
import { at, pod, readyPod, T0, T0_MS } from '../objects.ts';

const clock = (seconds: number): { now: string; nowMs: number } => ({
  now: at(seconds),
  nowMs: T0_MS + seconds * 1000,
});
const job = (spec: Partial<Job['spec']> = {}, status: Job['status'] = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j', namespace: 'default', uid: 'uid-j' },
  spec: { parallelism: 2, completions: 3, selector: {}, template: { spec: { containers: [] } }, ...spec },
  status,
});
const pods = (running: number, succeeded: number, failed: number): Pod[] => [
  ...Array.from({ length: running }, (_, i) => readyPod(`r${i}`, 'n')),
  ...Array.from({ length: succeeded }, (_, i) => pod(`s${i}`, { status: { phase: 'Succeeded' } })),
  ...Array.from({ length: failed }, (_, i) => pod(`f${i}`, { status: { phase: 'Failed' } })),
];

describe('Job: plan', () => {
  const cases: readonly (readonly [
    what: string,
    job: Job,
    pods: readonly Pod[],
    create: number,
    remove: number,
    end: string | undefined,
  ])[] = [
    ['at the start', job(), [], 2, 0, undefined],
    ['under way', job(), pods(2, 0, 0), 0, 0, undefined],
    ['one done', job(), pods(1, 1, 0), 1, 0, undefined],
    ['no more than are needed', job(), pods(1, 2, 0), 0, 0, undefined],
    ['all done', job(), pods(0, 3, 0), 0, 0, 'Complete'],
    ['all done, one too many', job(), pods(1, 3, 0), 0, 1, 'Complete'],
    ['one failed', job(), pods(1, 0, 1), 1, 0, undefined],
    ['too many failed', job({ backoffLimit: 1 }), pods(1, 0, 2), 0, 1, 'BackoffLimitExceeded'],
    ['never tried again', job({ backoffLimit: 0 }), pods(0, 0, 1), 0, 0, 'BackoffLimitExceeded'],
    ['fewer at a time', job({ parallelism: 1 }), pods(2, 0, 0), 0, 1, undefined],
    ['suspended', job({ suspend: true }), pods(2, 0, 0), 0, 2, undefined],
    [
      'too long',
      job({ activeDeadlineSeconds: 60 }, { startTime: T0 }),
      pods(2, 0, 0),
      0,
      2,
      'DeadlineExceeded',
    ],
    [
      'not too long yet',
      job({ activeDeadlineSeconds: 61 }, { startTime: T0 }),
      pods(2, 0, 0),
      0,
      0,
      undefined,
    ],
    ['nothing to do', job({ completions: 0 }), [], 0, 0, 'Complete'],
  ];
  for (const [what, subject, present, create, remove, end] of cases) {
    it(what, () => {
      const plan = planJob(subject, present, clock(60));
      const [condition] = (plan.status.conditions ?? []).filter(({ type }) => type !== 'Suspended');
      const found = condition?.type === 'Failed' ? condition.reason : condition?.type;
      assert.deepEqual([plan.create, plan.remove.length, found], [create, remove, end]);
      assert.equal(isJobFinished({ ...subject, status: plan.status }), end !== undefined);
    });
  }

  it('ends a queue of work when one has succeeded and all have ended', () => {
    const queue: Job = {
      ...job(),
      spec: { parallelism: 2, selector: {}, template: { spec: { containers: [] } } },
    };
    assert.equal(planJob(queue, [], clock(0)).create, 2);
    const winding = planJob(queue, pods(1, 1, 0), clock(0));
    assert.deepEqual([winding.create, winding.remove, winding.status.conditions], [0, [], []]);
    assert.equal(planJob(queue, pods(0, 2, 0), clock(0)).status.conditions?.[0]?.type, 'Complete');
  });

  it('counts, and keeps the start', () => {
    const { status } = planJob(job({}, { startTime: T0 }), pods(2, 1, 1), clock(9));
    assert.deepEqual(status, { active: 2, ready: 2, succeeded: 1, failed: 1, startTime: T0, conditions: [] });
    const done = planJob(job({}, { startTime: T0 }), pods(0, 3, 0), clock(9));
    assert.equal(done.status.completionTime, at(9));
  });

  it('waits longer after each failure', () => {
    assert.deepEqual([0, 1, 2, 3, 30].map(jobBackoffMs), [0, 10_000, 20_000, 40_000, 600_000]);
  });

  it('is removed when its time is over', () => {
    const finished = planJob(job({ ttlSecondsAfterFinished: 5 }), pods(0, 3, 0), clock(0)).status;
    const subject = job({ ttlSecondsAfterFinished: 5 }, finished);
    assert.deepEqual(
      [0, 4, 5, 9].map((seconds) => removalInMs(subject, T0_MS + seconds * 1000)),
      [5000, 1000, 0, 0],
    );
    assert.equal(removalInMs(job({}, finished), T0_MS), undefined);
    assert.equal(removalInMs(job({ ttlSecondsAfterFinished: 5 }), T0_MS), undefined);
  });
});
