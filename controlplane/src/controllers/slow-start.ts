/**
 * Runs `task` `count` times in batches of 1, 2, 4, …: where the first fails, as all would (a quota, an admission
 * plug-in), the rest is not tried. Resolves to the number of successes; rejects with the first error of the batch that
 * failed, after its other tasks have ended. Source: kubernetes pkg/controller/replicaset slowStartBatch.
 */
export async function slowStart(count: number, task: (index: number) => Promise<void>): Promise<number> {
  let done = 0;
  for (let size = 1; done < count; size *= 2) {
    const batch = Math.min(size, count - done);
    const first = done;
    const results = await Promise.allSettled(
      Array.from({ length: batch }, (_, index) => task(first + index)),
    );
    const failure = results.find((result) => result.status === 'rejected');
    if (failure !== undefined) throw failure.reason;
    done += batch;
  }
  return done;
}
