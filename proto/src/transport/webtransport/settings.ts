import type { SecureServerOptions } from 'node:http2';

/** Where a hub takes WebTransport sessions. */
export const WEBTRANSPORT_PATH = '/v1/tunnel';

/** The only WebTransport stream of a connection: the first one that a client opens (draft-ietf-webtrans-http2). */
export const STREAM_ID = 1;

/**
 * What may be under way in a stream and in a session, bytes, on either layer. The defaults (16 KiB, 64 KiB) stall. No
 * limit of ours: both ends read at once whatever comes, and the multiplexer's windows bound what its users leave unread.
 */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;
export const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;

/** Bytes of one capsule with bytes of a stream: its id, and no more than its window. */
export const MAX_STREAM_CAPSULE_BYTES = STREAM_WINDOW_BYTES + 8;

/** Options of the library that both ends are made with. */
export const LIBRARY_SETTINGS = {
  initialStreamFlowControlWindow: STREAM_WINDOW_BYTES,
  streamFlowControlWindowSizeLimit: STREAM_WINDOW_BYTES,
  initialSessionFlowControlWindow: SESSION_WINDOW_BYTES,
  sessionFlowControlWindowSizeLimit: SESSION_WINDOW_BYTES,
  initialBidirectionalStreams: 1,
  initialUnidirectionalStreams: 1, // the library takes 0 for its default; the guard refuses them all
  initialBidirectionalSendStreams: 1,
  initialUnidirectionalSendStreams: 1,
} as const;

/** HTTP/2 settings that announce the above. Source: draft-ietf-webtrans-http2, section 11.2, as the library has them. */
const WEBTRANSPORT_SETTINGS = {
  0x2b61: SESSION_WINDOW_BYTES,
  0x2b62: STREAM_WINDOW_BYTES,
  0x2b63: STREAM_WINDOW_BYTES,
  0x2b64: LIBRARY_SETTINGS.initialUnidirectionalStreams,
  0x2b65: LIBRARY_SETTINGS.initialBidirectionalStreams,
};

/** Options of an HTTP/2 session, for either end. */
export const HTTP2_OPTIONS = {
  settings: {
    enableConnectProtocol: true,
    enablePush: false,
    initialWindowSize: STREAM_WINDOW_BYTES,
    maxConcurrentStreams: 1,
    customSettings: WEBTRANSPORT_SETTINGS,
  },
  remoteCustomSettings: Object.keys(WEBTRANSPORT_SETTINGS).map(Number),
  maxHeaderListPairs: 32,
  maxSettings: 16,
} satisfies SecureServerOptions;
