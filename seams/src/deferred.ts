/** A promise with its own resolve and reject (`Promise.withResolvers`, which Node 20 lacks). */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T | PromiseLike<T>) => void;
  readonly reject: (reason: unknown) => void;
}

/** Makes a {@link Deferred}. Settling it more than once has no effect. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve']; // assigned before the Promise constructor returns
  let reject!: Deferred<T>['reject']; // likewise
  const promise = new Promise<T>((resolvePromise, rejectPromise) => {
    resolve = resolvePromise;
    reject = rejectPromise;
  });
  return { promise, resolve, reject };
}
