import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { messageOf, TunnelError } from '../../errors.ts';

/** One bidirectional stream. Reads must not overlap, nor writes. A pending call ends with the connection at the latest. */
export interface NativeStream {
  /** Number of the stream among those that its opener opened, from 0. */
  id(): string;
  /** Up to `limit` bytes, or null at the end. */
  read(limit: number): Promise<Uint8Array | null>;
  write(data: Uint8Array): Promise<void>;
  finishWrite(): void;
  resetWrite(): void;
  stopRead(): void;
}

/** One connection whose TLS has proven the peer's key. */
export interface NativeConnection {
  /** Waits while the peer's stream limit is reached; cannot be given up. */
  outboundStream(): Promise<NativeStream>;
  inboundStream(): Promise<NativeStream>;
  /** Closes at once; what was written and not yet sent is lost. */
  abort(): void;
  closed(): Promise<void>;
  /** `/ip4/1.2.3.4/udp/5/quic-v1/p2p/<peer id>`; the peer id is the proven key, see peer-key.ts. */
  remoteMultiaddr(): string;
}

/** The endpoint of dialers: one UDP socket for all their connections. */
export interface NativeClient {
  /** Takes IP literals only. */
  outboundConnection(ip: string, port: number): Promise<NativeConnection>;
  abort(): void;
}

/** The endpoint of a listener. */
export interface NativeServer {
  port(): number;
  /** Does one handshake; several calls may wait at once, and any of them gets the next connection. */
  inboundConnection(): Promise<NativeConnection>;
  /** Closes all connections and frees the port. */
  abort(): Promise<void>;
}

/** Settings of an endpoint; times in milliseconds, sizes in bytes. */
export interface NativeConfigOptions {
  /** The libp2p protobuf form of an Ed25519 key pair. */
  privateKeyProto: Uint8Array;
  handshakeTimeout: number;
  shutdownTimeout: number;
  maxIdleTimeout: number;
  keepAliveInterval: number;
  maxConcurrentStreamLimit: number;
  maxStreamData: number;
  maxConnectionData: number;
  receiveBufferSize: number;
  sendBufferSize: number;
}

/** Opaque to us. */
export interface NativeConfig {
  readonly constructor: unknown;
}

/** quinn (QUIC) with rustls, as @chainsafe/libp2p-quic packs it for Node.js. */
export interface QuicBinding {
  readonly QuinnConfig: new (options: NativeConfigOptions) => NativeConfig;
  readonly Client: new (config: NativeConfig, family: 0 | 1) => NativeClient;
  readonly Server: new (config: NativeConfig, ip: string, port: number) => NativeServer;
}

let loaded: QuicBinding | undefined;

/**
 * Loads the native package for this machine, once.
 * @throws TunnelError `ERR_TUNNEL_TRANSPORT_UNAVAILABLE`, naming the package
 */
export function loadQuicBinding(): QuicBinding {
  if (loaded !== undefined) return loaded;
  const name = `@chainsafe/libp2p-quic-${platformTag()}`;
  try {
    loaded = createRequire(import.meta.url)(name) as QuicBinding;
  } catch (error) {
    const message = `quic needs the native package ${name}, which does not load here: ${messageOf(error).split('\n')[0] ?? ''}`;
    throw new TunnelError('ERR_TUNNEL_TRANSPORT_UNAVAILABLE', message, { cause: error });
  }
  return loaded;
}

function platformTag(): string {
  const tag = `${process.platform}-${process.arch}`;
  return process.platform === 'linux' ? `${tag}-${usesMusl() ? 'musl' : 'gnu'}` : tag;
}

function usesMusl(): boolean {
  try {
    return readFileSync('/usr/bin/ldd', 'utf8').includes('musl');
  } catch {
    return false; // no ldd: a minimal image, and those with musl have one
  }
}
