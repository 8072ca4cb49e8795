import type { RuntimeContainer, RuntimePod, RuntimeSandbox } from '../../src/runtime/container-runtime.ts';

/** Now, in tests of what is computed. */
export const NOW = Date.UTC(2026, 0, 1, 12, 0, 0, 700);

/** A container that has run for 20 s, in the sandbox `s0`, and what a test wants of it. */
export function running(name: string, wish: Partial<RuntimeContainer> = {}): RuntimeContainer {
  const { attempt = 0 } = wish;
  return {
    name,
    id: `${name}-${attempt}`,
    sandboxId: 's0',
    attempt,
    image: 'registry.example/app:1',
    imageId: 'registry.example/app@sha256:1',
    state: 'running',
    createdAtMs: NOW - 21_000,
    startedAtMs: NOW - 20_000,
    logPath: '',
    notes: {
      specHash: 'hash',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    },
    ...wish,
  };
}

/** One that has exited a second ago. */
export function exited(
  name: string,
  exitCode: number,
  wish: Partial<RuntimeContainer> = {},
): RuntimeContainer {
  return running(name, { state: 'exited', exitCode, finishedAtMs: NOW - 1_000, ...wish });
}

/** One that was made, and not started. */
export function created(name: string, wish: Partial<RuntimeContainer> = {}): RuntimeContainer {
  const { startedAtMs, ...made } = running(name, wish);
  return { ...made, createdAtMs: startedAtMs ?? NOW, state: 'created' };
}

/** A sandbox: `s<attempt>`. */
export function sandbox(attempt = 0, wish: Partial<RuntimeSandbox> = {}): RuntimeSandbox {
  return {
    id: `s${attempt}`,
    attempt,
    ready: true,
    createdAtMs: NOW - 22_000,
    ips: ['10.88.0.7'],
    ...wish,
  };
}

/** The pod `default/a` with UID `uid-a` in the runtime. */
export function runtimePod(
  containers: readonly RuntimeContainer[],
  sandboxes: readonly RuntimeSandbox[] = [sandbox()],
): RuntimePod {
  return { uid: 'uid-a', namespace: 'default', name: 'a', sandboxes, containers };
}
