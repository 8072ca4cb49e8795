import assert from 'node:assert/strict';
import { within } from '@hawser/seams/testing';
import {
  HandshakeGate,
  TunnelError,
  tunnelLimits,
  type Connection,
  type Credentials,
  type HubAddress,
  type Listener,
  type Stream,
  type Transport,
  type TransportOptions,
  type TunnelErrorCode,
  type TunnelLimits,
} from '../../src/index.ts';
import type { TestAuthority } from '../test-pki.ts';

/** What the contract suite needs to know of a transport. A new one plugs in here. */
export interface TransportUnderTest {
  readonly name: string;
  create(options: TransportOptions): Transport;
  /** Key types that a dialer may have. */
  readonly dialerKeys: readonly ('ed25519' | 'p256')[];
  /** Connects without any certificate; rejects with the code that the hub answers. */
  dialWithoutCertificate(hub: HubAddress): Promise<never>;
  /** Connects with one key and shows the certificate of another, where the transport could be asked to. */
  dialWithStolenCertificate?(hub: HubAddress, own: Credentials, stolen: Credentials): Promise<never>;
}

/** Options of {@link Site.open}. */
export interface SiteOptions {
  limits?: Partial<TunnelLimits>;
  hub?: Credentials;
  verify?: TransportOptions['verify'];
  /** What the hub does with a connection before the test gets it. */
  onConnection?: (connection: Connection) => Promise<void>;
}

/** A hub with an open port and whatever dials it, for one test. */
export class Site {
  readonly gate: HandshakeGate;
  readonly limits: TunnelLimits;
  readonly hubTransport: Transport;
  readonly handshakeErrors: Error[] = [];
  readonly #underTest: TransportUnderTest;
  readonly #authority: TestAuthority;
  readonly #arrivals: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #edgeTransports: Transport[] = [];
  readonly #dialled: Connection[] = [];
  #listener: Listener | undefined;

  private constructor(
    underTest: TransportUnderTest,
    authority: TestAuthority,
    limits: TunnelLimits,
    hubTransport: Transport,
  ) {
    this.#underTest = underTest;
    this.#authority = authority;
    this.limits = limits;
    this.gate = new HandshakeGate(limits);
    this.hubTransport = hubTransport;
  }

  /** Opens a hub on a free port of loopback. */
  static async open(
    underTest: TransportUnderTest,
    authority: TestAuthority,
    options: SiteOptions = {},
  ): Promise<Site> {
    const limits = tunnelLimits({ closeTimeoutMs: 500, ...options.limits });
    const hub = options.hub ?? (await authority.hub());
    const transport = underTest.create({
      credentials: () => hub,
      limits,
      ...(options.verify === undefined ? {} : { verify: options.verify }),
    });
    const site = new Site(underTest, authority, limits, transport);
    site.#listener = await transport.listen({
      host: '127.0.0.1',
      port: 0,
      gate: site.gate,
      onConnection: async (connection) => {
        await options.onConnection?.(connection);
        site.#arrive(connection);
      },
      onHandshakeError: (error) => site.handshakeErrors.push(error),
    });
    return site;
  }

  get listener(): Listener {
    assert.ok(this.#listener);
    return this.#listener;
  }

  get address(): HubAddress {
    return { host: '127.0.0.1', port: this.listener.port };
  }

  /** A transport for an edge. */
  async edgeTransport(credentials?: Credentials, verify?: TransportOptions['verify']): Promise<Transport> {
    const own = credentials ?? (await this.#authority.edge());
    const transport = this.#underTest.create({
      credentials: () => own,
      limits: this.limits,
      ...(verify === undefined ? {} : { verify }),
    });
    this.#edgeTransports.push(transport);
    return transport;
  }

  /** Dials, and waits until the hub has the connection too. */
  async connect(transport?: Transport): Promise<{ edge: Connection; hub: Connection }> {
    const edge = await (transport ?? (await this.edgeTransport())).dial(this.address);
    this.#dialled.push(edge);
    return { edge, hub: await within('the connection at the hub', this.arrival()) };
  }

  /** The next connection that arrives at the hub. */
  arrival(): Promise<Connection> {
    const next = this.#arrivals.shift();
    if (next !== undefined) return Promise.resolve(next);
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Ends everything; fails if something does not end. */
  async close(): Promise<void> {
    const reason = { code: 'normal', message: 'the test is over' } as const;
    for (const connection of [...this.#dialled, ...this.#arrivals]) connection.destroy(reason);
    await Promise.all(this.#edgeTransports.map((transport) => transport.close()));
    await within('the listener closing', this.listener.close(), 10_000);
    await this.hubTransport.close();
  }

  #arrive(connection: Connection): void {
    this.#dialled.push(connection);
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#arrivals.push(connection);
    else taker(connection);
  }
}

/** A stream as both ends see it. */
export async function openPair(
  from: Connection,
  to: Connection,
  kind = 'test',
): Promise<{ near: Stream; far: Stream }> {
  const accepting = to.acceptStream();
  const near = await from.openStream(kind);
  const far = await within('the stream at the other end', accepting);
  assert.ok(far);
  return { near, far };
}

/** Reads to the end. */
export async function drain(stream: Stream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Serves a connection: whatever comes on a stream goes back, until it ends. Stops with the connection. */
export async function echo(connection: Connection): Promise<void> {
  for (
    let stream = await connection.acceptStream();
    stream !== undefined;
    stream = await connection.acceptStream()
  ) {
    echoStream(stream).catch(() => stream.reset()); // a reset by the test ends it
  }
}

async function echoStream(stream: Stream): Promise<void> {
  for await (const chunk of stream) await stream.write(chunk);
  await stream.end();
}

/** Fails unless the promise rejects with a TunnelError of one of these codes, in time. */
export async function rejectsWith(promise: Promise<unknown>, ...codes: TunnelErrorCode[]): Promise<void> {
  const outcome = await within(
    `a rejection with ${codes.join(' or ')}`,
    promise.then(
      () => 'resolved',
      (error: unknown) => error,
    ),
  );
  assert.ok(outcome instanceof TunnelError, `expected ${codes.join(' or ')}, got ${String(outcome)}`);
  assert.ok(
    codes.includes(outcome.code),
    `expected ${codes.join(' or ')}, got ${outcome.code}: ${outcome.message}`,
  );
}
