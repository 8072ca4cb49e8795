import type { Message } from 'dbus-next';
import { deferred, type Clock, type Deferred } from '@hawser/seams';
import { DBusFailure, DBusGone, DBusTimeout } from './dbus-errors.ts';
import { dbusLibrary, type DBusLibrary, type RawConnection } from './dbus-library.ts';

/** A method to call. */
export interface MethodCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** How a call is waited for. */
export interface CallOptions {
  readonly timeoutMs: number;
  /** Its reason is what the call rejects with; whoever was called goes on. */
  readonly signal?: AbortSignal;
  /** Called with the answer before any message behind it is looked at. */
  readonly onReply?: (reply: Message) => void;
}

const BUS = 'org.freedesktop.DBus';
const HELLO_MS = 5_000;

/** One connection to a message bus. */
export class DBusConnection {
  readonly #library: DBusLibrary;
  readonly #raw: RawConnection;
  readonly #clock: Clock;
  readonly #onSignal: (message: Message) => void;
  readonly #pending = new Map<number, { reply(message: Message): void; fail(reason: Error): void }>();
  readonly #ended: Deferred<Error> = deferred();
  readonly #socketClosed: Promise<void>;
  #endReason: Error | undefined;
  #serial = 0;

  private constructor(
    library: DBusLibrary,
    raw: RawConnection,
    clock: Clock,
    onSignal: (message: Message) => void,
  ) {
    this.#library = library;
    this.#raw = raw;
    this.#clock = clock;
    this.#onSignal = onSignal;
    // Listeners stay for as long as the socket: a late error has somebody to go to.
    raw.on('error', (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))));
    raw.on('message', (message: Message) => this.#take(message));
    this.#socketClosed = new Promise((resolve) => raw.stream.once('close', resolve));
    raw.stream.once('close', () => this.#end(new Error('it was closed')));
  }

  /**
   * Connects, and says hello.
   * @param address as in DBUS_SYSTEM_BUS_ADDRESS
   * @param onSignal is called with each signal; it must not throw
   * @throws DBusGone there is nothing, or it does not let us in; DBusFailure, DBusTimeout
   */
  static async open(
    address: string,
    clock: Clock,
    onSignal: (message: Message) => void,
  ): Promise<DBusConnection> {
    const library = dbusLibrary();
    let raw: RawConnection;
    try {
      raw = library.connect({ busAddress: withoutNativeSockets(address), authMethods: ['EXTERNAL'] });
    } catch (cause) {
      throw new DBusGone(`the address ${address} cannot be used: ${(cause as Error).message}`, { cause });
    }
    const connection = new DBusConnection(library, raw, clock, onSignal);
    try {
      await connection.callBus('Hello');
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** Resolves with the reason when the connection has ended, also by {@link close}. */
  get ended(): Promise<Error> {
    return this.#ended.promise;
  }

  /**
   * Calls a method. @returns the body of the answer
   * @throws DBusFailure, DBusGone, DBusTimeout, `signal.reason`
   */
  call(method: MethodCall, options: CallOptions): Promise<unknown[]> {
    const { timeoutMs, signal, onReply } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) throw signal.reason;
      if (this.#endReason !== undefined) throw this.#endReason;
      const serial = (this.#serial += 1);
      const settle = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(serial);
      };
      const fail = (reason: Error): void => {
        settle();
        reject(reason);
      };
      const onAbort = (): void => fail(signal?.reason as Error);
      const timer = this.#clock.setTimer(timeoutMs, () =>
        fail(new DBusTimeout(`no answer to ${method.member} within ${timeoutMs} ms`)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(serial, {
        fail,
        reply: (message) => {
          settle();
          if (message.type === ERROR) {
            reject(new DBusFailure(message.errorName, textOf(message)));
            return;
          }
          onReply?.(message);
          resolve(message.body);
        },
      });
      this.#send(new this.#library.Message({ ...method, body: [...(method.body ?? [])], serial }));
    });
  }

  /** Calls a method of the bus itself. */
  callBus(member: string, signature = '', body: readonly unknown[] = []): Promise<unknown[]> {
    const method = {
      destination: BUS,
      path: '/org/freedesktop/DBus',
      interface: BUS,
      member,
      signature,
      body,
    };
    return this.call(method, { timeoutMs: HELLO_MS });
  }

  /** Idempotent; what waits for an answer rejects. */
  async close(): Promise<void> {
    this.#end(new Error('it was closed by us'));
    await this.#socketClosed;
  }

  #send(message: Message): void {
    try {
      this.#raw.message(message);
    } catch (error) {
      // A message that cannot be written is a mistake of ours; a stream that is closed says so by itself.
      this.#pending.get(message.serial ?? 0)?.fail(error as Error);
    }
  }

  #take(message: Message): void {
    switch (message.type) {
      case RETURN:
      case ERROR:
        this.#pending.get(Number(message.replySerial))?.reply(message);
        return;
      case SIGNAL:
        this.#onSignal(message);
        return;
      default:
        this.#refuse(message);
    }
  }

  /** Nothing can be called here; who asks is told. */
  #refuse(message: Message): void {
    const name = 'org.freedesktop.DBus.Error.UnknownMethod';
    const reply = new this.#library.Message({
      type: ERROR,
      serial: (this.#serial += 1),
      replySerial: String(message.serial ?? 0),
      destination: message.sender,
      errorName: name,
      signature: 's',
      body: [`no method ${message.member} here`],
    });
    this.#send(reply);
  }

  #end(cause: Error): void {
    if (this.#endReason !== undefined) return;
    const reason = new DBusGone(`the connection to D-Bus ended: ${cause.message}`, { cause });
    this.#endReason = reason;
    this.#raw.stream.destroy();
    for (const call of [...this.#pending.values()]) call.fail(reason);
    this.#ended.resolve(reason);
  }
}

/** Message types (D-Bus specification, message format); the enum of dbus-next's types counts from 0. */
const RETURN = 2 as Message['type'];
const ERROR = 3 as Message['type'];
const SIGNAL = 4 as Message['type'];

function textOf(message: Message): string {
  const [text] = message.body as unknown[];
  return typeof text === 'string' ? text : '';
}

/** `path` of dbus-next takes a native module where one is installed; `socket` is the same, with sockets of Node. */
function withoutNativeSockets(address: string): string {
  return address
    .split(';')
    .map((one) =>
      one.replace(/^unix:(.*,)?path=([^,]*)/, (_, before: string | undefined, path: string) => {
        return `unix:${before ?? ''}socket=${decodeURIComponent(path)}`;
      }),
    )
    .join(';');
}
