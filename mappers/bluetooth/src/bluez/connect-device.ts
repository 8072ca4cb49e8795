import { delay, type Clock, type Timer } from '@hawser/seams';
import { DEVICE } from './bluez-names.ts';
import type { AdapterControl } from './adapter-control.ts';
import type { BluezSession } from './bluez-session.ts';
import { explained, failureOf, saysAgain } from './bluez-failures.ts';

/** How often a connection is tried that failed in a way that may pass. */
const TRIES = 3;
const BETWEEN_MS = 250;
/** How long a device may take to be disconnected. */
const DISCONNECT_MS = 1_500;

/** A device to connect with. */
export interface ConnectOptions {
  readonly session: BluezSession;
  readonly adapter: AdapterControl;
  readonly path: string;
  /** From its turn on. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Connects with a device, unless it is, and waits until BlueZ knows its services.
 * @throws Error why it could not be done, and what to do about it; the reason of an aborted signal
 */
export async function connectDevice(options: ConnectOptions): Promise<void> {
  const { session, adapter, path, timeoutMs, clock, signal } = options;
  if (isReady(session, path)) return;
  const limit = new AbortController();
  const onAbort = (): void => limit.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  let timer: Timer | undefined;
  const begin = (): void => {
    timer = clock.setTimer(timeoutMs, () => limit.abort(new Error(late(session, options))));
  };
  try {
    await adapter.inTurn(() => {
      begin();
      return connect(options, limit.signal);
    }, limit.signal);
    await untilReady(options, limit.signal);
  } catch (error) {
    // A connection that is still being made would go on without us.
    if (timer !== undefined) await disconnectDevice(session, path);
    throw error;
  } finally {
    timer?.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Ends the connection with a device, or what is under way to one. Never throws. */
export async function disconnectDevice(session: BluezSession, path: string): Promise<void> {
  try {
    await session.call({ path, interface: DEVICE, member: 'Disconnect' }, { timeoutMs: DISCONNECT_MS });
  } catch {
    // It is not connected, or gone, or BlueZ is: there is nothing left to end.
  }
}

function late(session: BluezSession, { path, timeoutMs }: ConnectOptions): string {
  const device = session.objects.device(path);
  const name = device?.address ?? path;
  return device?.isConnected === true
    ? `the services of ${name} are not known within ${timeoutMs} ms: is it too far away? See \`connectTimeoutMs\``
    : `${name} could not be connected within ${timeoutMs} ms: see that it is near, takes connections, and has none`;
}

async function connect({ session, path, clock }: ConnectOptions, signal: AbortSignal): Promise<void> {
  const what = `${session.objects.device(path)?.address ?? path} cannot be connected`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const call = { path, interface: DEVICE, member: 'Connect' };
      await session.call(call, { timeoutMs: 2 ** 31 - 1, signal });
      return;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (failureOf(error) === 'AlreadyConnected') return;
      if (!saysAgain(error) || attempt === TRIES) throw explained(what, error);
    }
    // BlueZ may have half a connection left, which would be in the way of the next.
    if (session.objects.device(path)?.isConnected !== true) await disconnectDevice(session, path);
    else return;
    await delay(BETWEEN_MS, { clock, signal });
  }
}

/** BlueZ may say that services are known before it has told the first of them. */
function isReady({ objects }: BluezSession, path: string): boolean {
  const device = objects.device(path);
  return device?.isConnected === true && device.isResolved && objects.characteristics(path).length > 0;
}

/** @throws Error it has gone, or is disconnected again */
function untilReady({ session, path, adapter }: ConnectOptions, signal: AbortSignal): Promise<void> {
  const { objects } = session;
  return new Promise((resolve, reject) => {
    let wasConnected = false;
    let unwatch = (): void => {};
    let unlose = (): void => {};
    const end = (settle: () => void): void => {
      unwatch();
      unlose();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(signal.reason as Error));
    const look = (): void => {
      const device = objects.device(path);
      if (device === undefined) end(() => reject(new Error(adapter.trouble ?? 'the device has gone away')));
      else if (isReady(session, path)) end(resolve);
      else if (device.isConnected) wasConnected = true;
      else if (wasConnected)
        end(() => reject(new Error(adapter.trouble ?? `${device.address} has ended the connection`)));
    };
    unwatch = objects.watch((changed) => {
      if (changed.startsWith(path) || changed === adapter.path) look();
    });
    signal.addEventListener('abort', onAbort, { once: true });
    unlose = session.onLost((reason) => end(() => reject(reason)));
    if (signal.aborted) onAbort();
    else look();
  });
}
