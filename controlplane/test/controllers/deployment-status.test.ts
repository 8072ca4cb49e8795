import assert from 'node:assert/strict';
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../src/api/workloads.ts';
import {
  deploymentStatus,
  isComplete,
  progressDeadlineInMs,
} from '../../src/controllers/deployment-status.ts';
import { at, deployment, replicaSet, T0_MS } from '../objects.ts';

const set = (name: string, size: number, available: number): ReplicaSet =>
  replicaSet(name, size, {
    status: { replicas: size, readyReplicas: available, availableReplicas: available },
  });

/** The status `seconds` after T0, and the deployment with it. */
function advance(
  subject: Deployment,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
  seconds: number,
  more: { created?: boolean; failure?: string } = {},
): Deployment & { status: DeploymentStatus } {
  const { created = false, failure } = more;
  const sets = { current, old };
  const nowMs = T0_MS + seconds * 1000;
  return {
    ...subject,
    status: deploymentStatus({ deployment: subject, sets, created, failure, nowMs, now: at(seconds) }),
  };
}

function condition(subject: Deployment, type: string): readonly unknown[] {
  const found = subject.status?.conditions?.find((each) => each.type === type);
  return [found?.status, found?.reason, found?.lastUpdateTime, found?.lastTransitionTime];
}

describe('Deployment: status', () => {
  const subject = deployment(2, { progressDeadlineSeconds: 60 });

  it('tells an update from its beginning to its end', () => {
    let state = advance(subject, set('new', 0, 0), [], 0, { created: true });
    assert.deepEqual(condition(state, 'Progressing'), ['True', 'NewReplicaSetCreated', at(0), at(0)]);
    assert.deepEqual(condition(state, 'Available').slice(0, 2), ['False', 'MinimumReplicasUnavailable']);
    state = advance(state, set('new', 2, 0), [], 5);
    assert.deepEqual(condition(state, 'Progressing'), ['True', 'ReplicaSetUpdated', at(5), at(0)]);
    assert.equal(isComplete(state, state.status), false);
    state = advance(state, set('new', 2, 2), [], 9);
    assert.deepEqual(condition(state, 'Progressing'), ['True', 'NewReplicaSetAvailable', at(9), at(0)]);
    assert.deepEqual(condition(state, 'Available'), ['True', 'MinimumReplicasAvailable', at(9), at(9)]);
    assert.equal(isComplete(state, state.status), true);
    const { conditions, ...counts } = state.status;
    assert.equal(conditions?.length, 2);
    assert.deepEqual(counts, {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
      unavailableReplicas: 0,
    });
  });

  it('gives up waiting after the deadline, and only then', () => {
    const started = advance(subject, set('new', 2, 0), [], 0);
    assert.equal(progressDeadlineInMs(started, T0_MS + 20_000), 40_000);
    const waiting = advance(started, set('new', 2, 0), [], 59);
    assert.deepEqual(condition(waiting, 'Progressing'), ['True', 'ReplicaSetUpdated', at(0), at(0)]);
    const late = advance(waiting, set('new', 2, 0), [], 60);
    assert.deepEqual(condition(late, 'Progressing'), ['False', 'ProgressDeadlineExceeded', at(60), at(60)]);
    assert.equal(progressDeadlineInMs(late, T0_MS + 61_000), undefined);
    const recovered = advance(late, set('new', 2, 1), [], 70);
    assert.deepEqual(condition(recovered, 'Progressing').slice(0, 2), ['True', 'ReplicaSetUpdated']);
  });

  it('keeps what was reached when a pod fails later', () => {
    const done = advance(advance(subject, set('new', 2, 1), [], 0), set('new', 2, 2), [], 1);
    const failing = advance(done, set('new', 2, 1), [], 100);
    assert.deepEqual(condition(failing, 'Progressing').slice(0, 2), ['True', 'NewReplicaSetAvailable']);
  });

  it('says that it is paused, and resumed', () => {
    const started = advance(subject, set('new', 2, 1), [], 0);
    const paused = advance({ ...started, spec: { ...started.spec, paused: true } }, set('new', 2, 1), [], 1);
    assert.deepEqual(condition(paused, 'Progressing').slice(0, 2), ['Unknown', 'DeploymentPaused']);
    const resumed = advance({ ...paused, spec: started.spec }, set('new', 2, 1), [], 2);
    assert.deepEqual(condition(resumed, 'Progressing').slice(0, 2), ['Unknown', 'DeploymentResumed']);
  });

  it('shows why pods or sets cannot be made, while that is so', () => {
    const failed = advance(subject, undefined, [], 0, { failure: 'quota' });
    assert.deepEqual(condition(failed, 'ReplicaFailure').slice(0, 2), ['True', 'FailedCreate']);
    assert.deepEqual(condition(advance(failed, set('new', 2, 2), [], 1), 'ReplicaFailure')[0], undefined);
  });
});
