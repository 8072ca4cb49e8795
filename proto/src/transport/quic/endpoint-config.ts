import type { KeyObject } from 'node:crypto';
import type { TunnelLimits } from '../../limits.ts';
import { loadQuicBinding, type NativeConfig } from './binding.ts';
import { nativePrivateKey } from './peer-key.ts';

/**
 * A connection from which nothing came for this long is dropped by the native side. It also bounds how long a
 * handshake that was begun and abandoned holds its place.
 */
const IDLE_TIMEOUT_MS = 45_000;
/** The native side's own sign of life, which only idle connections with rare heartbeats ever need. */
const KEEP_ALIVE_MS = 20_000;
const SOCKET_BUFFER_BYTES = 1024 * 1024;

/** Settings of a native endpoint for this key. */
export function endpointConfig(privateKey: KeyObject, limits: TunnelLimits): NativeConfig {
  const { QuinnConfig } = loadQuicBinding();
  return new QuinnConfig({
    privateKeyProto: nativePrivateKey(privateKey),
    handshakeTimeout: limits.handshakeTimeoutMs,
    shutdownTimeout: limits.closeTimeoutMs,
    maxIdleTimeout: IDLE_TIMEOUT_MS,
    keepAliveInterval: KEEP_ALIVE_MS,
    maxConcurrentStreamLimit: limits.maxStreams + 1, // and the connection stream
    maxStreamData: limits.streamWindowBytes,
    maxConnectionData: (limits.maxStreams + 1) * limits.streamWindowBytes,
    receiveBufferSize: SOCKET_BUFFER_BYTES,
    sendBufferSize: SOCKET_BUFFER_BYTES,
  });
}
