import type { KeyObject } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { deferred, systemClock } from '@hawser/seams';
import { messageOf, TunnelError } from '../../errors.ts';
import { introduceAsDialer } from '../identity-exchange.ts';
import type {
  Connection,
  HubAddress,
  Listener,
  ListenOptions,
  Transport,
  TransportOptions,
} from '../transport.ts';
import { loadQuicBinding, type NativeClient, type NativeConnection } from './binding.ts';
import { endpointConfig } from './endpoint-config.ts';
import { provenKey } from './peer-key.ts';
import { QuicConnection } from './quic-connection.ts';
import { QuicListener } from './quic-listener.ts';

/**
 * QUIC through quinn. Its TLS proves Ed25519 keys by self-signed certificates of its own; X.509 certificates for
 * the same keys are exchanged on the connection stream and checked like everywhere (identity-exchange.ts).
 */
export class QuicTransport implements Transport {
  readonly name = 'quic';
  readonly #options: TransportOptions;
  /** Dialers' endpoints by address family; made anew when the key is rotated. */
  #clients: { readonly key: KeyObject; readonly byFamily: Map<number, NativeClient> } | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  async dial(hub: HubAddress, options: { signal?: AbortSignal } = {}): Promise<Connection> {
    const { signal } = options;
    signal?.throwIfAborted();
    this.#refusePeers();
    const deadline = AbortSignal.timeout(this.#options.limits.handshakeTimeoutMs);
    const ending = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    try {
      return await this.#dial(hub, ending);
    } catch (error) {
      signal?.throwIfAborted();
      if (deadline.aborted) {
        throw new TunnelError(
          'ERR_TUNNEL_HANDSHAKE_TIMEOUT',
          `no handshake with ${hub.host}:${hub.port} in time`,
        );
      }
      throw error;
    }
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- binding is synchronous here; a failure must reject
  async listen(options: ListenOptions): Promise<Listener> {
    this.#refusePeers();
    const listener = new QuicListener(this.#options, options);
    listener.start();
    return listener;
  }

  close(): Promise<void> {
    for (const client of this.#clients?.byFamily.values() ?? []) client.abort();
    this.#clients = undefined;
    return Promise.resolve();
  }

  /** Pools are few nodes on a LAN, where ws does as well without native code. */
  #refusePeers(): void {
    if (this.#options.peers !== true) return;
    throw new TunnelError(
      'ERR_TUNNEL_TRANSPORT_UNAVAILABLE',
      'quic does not join nodes to each other: use ws',
    );
  }

  async #dial(hub: HubAddress, ending: AbortSignal): Promise<Connection> {
    const { address, family } = await resolve(hub);
    ending.throwIfAborted();
    const native = await this.#connect(this.#client(family), address, hub, ending);
    const connection = new QuicConnection(native, { dialer: true, limits: this.#options.limits });
    const onAbort = (): void => connection.destroy({ code: 'normal', message: 'given up while dialling' });
    ending.addEventListener('abort', onAbort, { once: true });
    try {
      const credentials = this.#options.credentials();
      const peer = await introduceAsDialer(await connection.connectionStream(), credentials, {
        ...this.#options.verify,
        role: 'hub',
        authorities: credentials.authorities,
        dialedHost: hub.host,
        provenKey: provenKey(native.remoteMultiaddr()),
      });
      connection.start(peer);
      return connection;
    } catch (error) {
      connection.destroy({ code: 'unauthorized', message: messageOf(error) });
      throw turnedAway(error, hub);
    } finally {
      ending.removeEventListener('abort', onAbort);
    }
  }

  async #connect(
    client: NativeClient,
    address: string,
    hub: HubAddress,
    ending: AbortSignal,
  ): Promise<NativeConnection> {
    const connecting = client.outboundConnection(address, hub.port);
    const { connectTimeoutMs } = this.#options.limits;
    const givenUp = deferred<never>();
    const onAbort = (): void => givenUp.reject(ending.reason);
    ending.addEventListener('abort', onAbort, { once: true });
    const patience = systemClock.setTimer(connectTimeoutMs, () => {
      givenUp.reject(new Error(`no answer within ${connectTimeoutMs} ms`));
    });
    try {
      return await Promise.race([connecting, givenUp.promise]);
    } catch (error) {
      // The native side goes on; what it brings is dropped.
      connecting.then((late) => late.abort()).catch(() => {});
      if (ending.aborted) throw error;
      const message = `no QUIC connection to ${hub.host}:${hub.port}: ${messageOf(error)}`;
      throw new TunnelError('ERR_TUNNEL_DIAL', message, { cause: error });
    } finally {
      patience.cancel();
      ending.removeEventListener('abort', onAbort);
    }
  }

  #client(family: number): NativeClient {
    const { privateKey } = this.#options.credentials();
    if (this.#clients?.key !== privateKey) {
      // Connections of the old key go on until they end; their endpoint is freed with the last of them.
      this.#clients = { key: privateKey, byFamily: new Map() };
    }
    let client = this.#clients.byFamily.get(family);
    if (client === undefined) {
      const { Client } = loadQuicBinding();
      client = new Client(endpointConfig(privateKey, this.#options.limits), family === 6 ? 1 : 0);
      this.#clients.byFamily.set(family, client);
    }
    return client;
  }
}

/** The native side takes IP literals only. */
async function resolve(hub: HubAddress): Promise<{ address: string; family: number }> {
  try {
    return await lookup(hub.host);
  } catch (error) {
    throw new TunnelError('ERR_TUNNEL_DIAL', `cannot resolve ${hub.host}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** A hub with too much to do closes before it introduces itself. */
function turnedAway(error: unknown, hub: HubAddress): unknown {
  if (!(error instanceof TunnelError) || error.code !== 'ERR_TUNNEL_CONNECTION_LOST') return error;
  return new TunnelError(
    'ERR_TUNNEL_OVERLOADED',
    `${hub.host}:${hub.port} closed before it introduced itself`,
    {
      cause: error,
    },
  );
}
