import { MAX_MESSAGE_BYTES } from '../mux/frame-sender.ts';

/** WebSocket subprotocol: the version of the multiplexer (mux-frame.ts). */
export const SUBPROTOCOL = 'hawser.tunnel.v1';
/** Where a hub takes WebSocket upgrades. */
export const TUNNEL_PATH = '/v1/tunnel';

/** Settings of the WebSocket that are the same at both ends. */
export const WS_OPTIONS = {
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE_BYTES,
  // Our messages are never fragmented, and come in a few pieces of up to 16 KiB (TLS records). Without these bounds
  // fragments and records of one byte cost hundreds of bytes of memory each.
  maxFragments: 64,
  maxBufferedChunks: 1024,
  // MuxConnection answers pings.
  autoPong: false,
  skipUTF8Validation: true,
} as const;
