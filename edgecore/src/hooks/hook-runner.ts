import { delay, type Clock, type Logger } from '@hawser/seams';
import { ContainerError } from '../pods/container-error.ts';
import { podName, type LifecycleHandler, type Pod, type PodContainer } from '../pods/pod.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { httpGetOf, sendHttpGet } from '../probes/http-get.ts';
import { networkFailure } from '../probes/network-failure.ts';
import type { ContainerRuntime } from '../runtime/container-runtime.ts';
import type { ContainerHooks } from './container-hooks.ts';

/** Source: kubelet, minimumGracePeriodInSeconds. */
const LEAST_GRACE_SECONDS = 2;
/** A `postStart` takes as long as it takes; but nothing takes forever. */
const LONGEST_HOOK_MS = 24 * 3_600_000;

/** It has taken longer than it may. */
class HookTimeout extends Error {}

/** What a {@link HookRunner} needs. */
export interface HookRunnerOptions {
  readonly runtime: Pick<ContainerRuntime, 'exec'>;
  readonly events: PodEvents;
  readonly clock: Clock;
  readonly log: Logger;
}

/** One run of a handler. */
interface HookRun {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly containerId: string;
  readonly podIp: string;
  readonly handler: LifecycleHandler;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs `postStart` and `preStop`: a command, a request, a sleep. `tcpSocket` is refused, as a kubelet does. An answer
 * of HTTP is a success whatever its status is. Source: kubelet, lifecycle/handlers.go and kuberuntime_container.go.
 */
export class HookRunner implements ContainerHooks {
  readonly #options: HookRunnerOptions;

  constructor(options: HookRunnerOptions) {
    this.#options = options;
  }

  async postStart(
    pod: Pod,
    container: PodContainer,
    containerId: string,
    podIp: string,
    signal: AbortSignal,
  ): Promise<void> {
    const handler = container.lifecycle?.postStart;
    if (handler === undefined) return;
    try {
      const timeoutMs = LONGEST_HOOK_MS;
      await this.#runInTime({ pod, container, containerId, podIp, handler, timeoutMs, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw new ContainerError('PostStartHookError', failureText(handler, container, pod, error), {
        cause: error,
      });
    }
  }

  async preStop(
    pod: Pod,
    container: PodContainer,
    containerId: string,
    podIp: string,
    graceSeconds: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { clock } = this.#options;
    const handler = container.lifecycle?.preStop;
    const startedMs = clock.monotonicMs();
    if (handler !== undefined && graceSeconds > 0) {
      const timeoutMs = Math.min(graceSeconds * 1000, LONGEST_HOOK_MS);
      await this.#preStop({ pod, container, containerId, podIp, handler, timeoutMs, signal });
    }
    const tookSeconds = Math.floor((clock.monotonicMs() - startedMs) / 1000);
    return Math.max(graceSeconds - tookSeconds, LEAST_GRACE_SECONDS);
  }

  /** Resolves when it is done, or the grace is over. @throws signal.reason */
  async #preStop(run: HookRun): Promise<void> {
    const { pod, container, handler, signal } = run;
    const { events, log } = this.#options;
    try {
      await this.#runInTime(run);
    } catch (error) {
      signal.throwIfAborted();
      log.debug({ err: error, pod: podName(pod), container: container.name }, 'preStop failed');
      // To sleep until the grace is over is what was asked for. The message is not shown: it may be secret.
      if (error instanceof HookTimeout && handler.sleep !== undefined) return;
      events.record(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', container.name);
    }
  }

  /** Whatever kind it is of. @throws HookTimeout; signal.reason; what it failed with */
  async #runInTime(run: HookRun): Promise<void> {
    const { timeoutMs, signal } = run;
    const given = new AbortController();
    const onAbort = (): void => given.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    const isOver = new HookTimeout(`not done within ${timeoutMs / 1000} s`);
    const timer = this.#options.clock.setTimer(timeoutMs, () => given.abort(isOver), { background: true });
    try {
      await this.#run({ ...run, signal: given.signal });
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async #run(run: HookRun): Promise<void> {
    const { handler, containerId, timeoutMs, signal } = run;
    signal.throwIfAborted();
    if (handler.exec !== undefined) {
      const { runtime } = this.#options;
      const result = await runtime.exec(containerId, handler.exec.command ?? [], timeoutMs, signal);
      if (result.exitCode === 0) return;
      const output = JSON.stringify(`${result.stdout}${result.stderr}`);
      throw new Error(`command ended with exit code ${result.exitCode}, message: ${output}`);
    }
    if (handler.httpGet !== undefined) {
      await this.#httpGet(run, handler.httpGet);
    } else if (handler.sleep !== undefined) {
      await delay(handler.sleep.seconds * 1000, { clock: this.#options.clock, signal });
    } else {
      throw new Error('invalid handler: only exec, httpGet and sleep are run');
    }
  }

  async #httpGet(run: HookRun, action: NonNullable<LifecycleHandler['httpGet']>): Promise<void> {
    const { pod, container, podIp, signal } = run;
    const request = httpGetOf(action, container, podIp, 'lifecycle');
    try {
      await sendHttpGet(request, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!isPlainHttp(error)) throw new Error(networkFailure(error, request.url.host), { cause: error });
      // Scheme HTTPS and no TLS there: once this was not looked at, and charts rely on it.
      await sendHttpGet(
        httpGetOf({ ...withoutSecret(action), scheme: 'HTTP' }, container, podIp, 'lifecycle'),
        signal,
      );
      const message = `request to HTTPS lifecycle hook ${request.url.host} got HTTP response, retry with HTTP succeeded`;
      this.#options.events.record(pod, 'Warning', 'LifecycleHTTPFallback', message, container.name);
    }
  }
}

/** What answers does not speak TLS. */
function isPlainHttp(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException;
  return (
    (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') && /wrong version number/i.test(message)
  );
}

function withoutSecret(action: NonNullable<LifecycleHandler['httpGet']>): typeof action {
  const httpHeaders = action.httpHeaders?.filter(({ name }) => name.toLowerCase() !== 'authorization');
  return httpHeaders === undefined ? action : { ...action, httpHeaders };
}

/** Source: kubelet, lifecycle/handlers.go (Run). */
function failureText(handler: LifecycleHandler, container: PodContainer, pod: Pod, error: unknown): string {
  const { exec, httpGet, sleep } = handler;
  const { namespace, name, uid } = pod.metadata;
  const failed = `for Container "${container.name}" in Pod "${name}_${namespace}(${uid})" failed - error: ${(error as Error).message}`;
  if (exec !== undefined) return `Exec lifecycle hook (${JSON.stringify(exec.command ?? [])}) ${failed}`;
  if (httpGet !== undefined) return `HTTP lifecycle hook (${httpGet.path ?? ''}) ${failed}`;
  if (sleep !== undefined) return `Sleep lifecycle hook (${sleep.seconds}) ${failed}`;
  return `Cannot run handler: ${(error as Error).message}`;
}
