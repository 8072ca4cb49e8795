import type { Clock } from '@hawser/seams';
import { type Hello, PURPOSE, type Welcome } from '../codec/codec.ts';
import { refusalByPeer, TunnelError } from '../errors.ts';
import { HEARTBEAT_MS, type TunnelLimits } from '../limits.ts';
import { closeCodeFromWire, closeError, toCloseNotice, type CloseReason } from '../transport/close-reason.ts';
import type { Connection } from '../transport/transport.ts';
import { FrameStream } from './frame-stream.ts';
import { PROTOCOL_VERSIONS, SESSION_STREAM, type SessionInfo } from './session-info.ts';

/** What an edge says of itself. */
export interface EdgeHello {
  readonly node: string;
  /** Software and release, for operators: `edgecore/0.1.0`. */
  readonly software: string;
  readonly features?: readonly string[];
  /** Features without which this edge cannot work. */
  readonly requiredFeatures?: readonly string[];
  /** Heartbeat interval that the edge would like, milliseconds. Default 10,000. */
  readonly heartbeatMs?: number;
  /** The highest epoch that this node has seen. Default 0: none. */
  readonly lastEpoch?: number;
  /** The cluster that the node belongs to. Default: not yet known. */
  readonly clusterUid?: string;
  readonly resumeState?: Uint8Array;
}

/** What a hub says of itself. */
export interface HubWelcome {
  /** Replica and release, for operators. */
  readonly software: string;
  readonly clusterUid: string;
  readonly incarnation: string;
  /** Incarnations after which an operator has accepted the present one for all nodes. Default: none. */
  readonly follows?: readonly string[];
  readonly features?: readonly string[];
  /** Heartbeat interval that the hub would like, milliseconds. Default 10,000; the shorter wish counts. */
  readonly heartbeatMs?: number;
}

/** A session that has begun, on one connection. */
export interface Established {
  readonly frames: FrameStream;
  readonly info: SessionInfo;
}

/** A hub's decision about one hello. */
export type Decision =
  | {
      readonly accept: {
        readonly sessionId: string;
        readonly epoch: number;
        readonly resumeState?: Uint8Array;
      };
    }
  | { readonly reject: CloseReason & { readonly error?: string } };

/**
 * The edge's side: says hello, waits for the welcome. The caller bounds the time.
 * @throws TunnelError of the code that the hub gives, `ERR_TUNNEL_REJECTED`, `ERR_TUNNEL_BAD_FRAME`
 */
export async function sayHello(
  connection: Connection,
  hello: EdgeHello,
  options: { limits: TunnelLimits; bulkOf?: string },
): Promise<Established> {
  const { limits, bulkOf } = options;
  const frames = new FrameStream(await connection.openStream(SESSION_STREAM), handshakeLimits(limits));
  await frames.send({
    hello: {
      minVersion: PROTOCOL_VERSIONS.min,
      maxVersion: PROTOCOL_VERSIONS.max,
      purpose: bulkOf === undefined ? PURPOSE.control : PURPOSE.bulk,
      node: hello.node,
      software: hello.software,
      features: [...(hello.features ?? [])],
      requiredFeatures: [...(hello.requiredFeatures ?? [])],
      heartbeatMs: hello.heartbeatMs ?? HEARTBEAT_MS.default,
      lastEpoch: hello.lastEpoch ?? 0,
      clusterUid: hello.clusterUid ?? '',
      sessionId: bulkOf ?? '',
      resumeState: hello.resumeState ?? new Uint8Array(0),
    },
  });
  const answer = await frames.receive();
  if (answer === undefined) throw closeError(await connection.closed);
  if (answer.body === 'reject') {
    const { error, message, retryAfterMs } = answer.reject;
    const why = `the hub refuses: ${message} (${closeCodeFromWire(answer.reject.code)})`;
    throw refusalByPeer(error, why, retryAfterMs > 0 ? { retryAfterMs } : {});
  }
  if (answer.body !== 'welcome')
    throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `${answer.body} where welcome was due`);
  const { welcome } = answer;
  if (welcome.version < PROTOCOL_VERSIONS.min || welcome.version > PROTOCOL_VERSIONS.max) {
    throw new TunnelError('ERR_TUNNEL_INCOMPATIBLE', `the hub chose protocol version ${welcome.version}`);
  }
  return establish(frames, limits, {
    id: welcome.sessionId,
    node: hello.node,
    epoch: welcome.epoch,
    version: welcome.version,
    features: new Set(welcome.features),
    heartbeatMs: clampHeartbeat(welcome.heartbeatMs),
    clusterUid: welcome.clusterUid,
    incarnation: welcome.incarnation,
    follows: welcome.follows,
    peerMaxFrameBytes: welcome.maxFrameBytes,
    peerSoftware: welcome.software,
    hubTimeMs: welcome.timeMs,
    peerResumeState: welcome.resumeState,
  });
}

/**
 * The hub's side: waits for the hello, checks it, and answers as `decide` says. The caller bounds the time.
 * @returns the session and the hello, or undefined where the edge was refused (and told so)
 * @throws TunnelError `ERR_TUNNEL_BAD_FRAME`; the connection's errors
 */
export async function answerHello(
  connection: Connection,
  welcome: HubWelcome,
  options: { limits: TunnelLimits; clock: Clock; decide: (hello: Hello) => Promise<Decision> },
): Promise<(Established & { hello: Hello }) | undefined> {
  const { limits, clock } = options;
  const stream = await connection.acceptStream();
  if (stream === undefined) throw closeError(await connection.closed);
  if (stream.kind !== SESSION_STREAM) {
    throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `stream ${stream.kind} where ${SESSION_STREAM} was due`);
  }
  const frames = new FrameStream(stream, handshakeLimits(limits));
  const first = await frames.receive();
  if (first?.body !== 'hello') {
    throw new TunnelError('ERR_TUNNEL_BAD_FRAME', `${first?.body ?? 'the end'} where hello was due`);
  }
  const { hello } = first;
  const decision = incompatibility(hello, connection, welcome) ?? (await options.decide(hello));
  if ('reject' in decision) {
    const { error = '' } = decision.reject;
    await frames.send({ reject: { ...toCloseNotice(decision.reject), error } });
    await connection.close(decision.reject);
    return undefined;
  }
  const { sessionId, epoch, resumeState } = decision.accept;
  const answer: Welcome = {
    version: Math.min(PROTOCOL_VERSIONS.max, hello.maxVersion),
    sessionId,
    epoch,
    features: hello.features.filter((feature) => welcome.features?.includes(feature) === true),
    heartbeatMs: clampHeartbeat(Math.min(hello.heartbeatMs, welcome.heartbeatMs ?? HEARTBEAT_MS.default)),
    clusterUid: welcome.clusterUid,
    incarnation: welcome.incarnation,
    follows: [...(welcome.follows ?? [])],
    timeMs: Math.round(clock.wallMs()),
    software: welcome.software,
    maxFrameBytes: limits.maxFrameBytes,
    resumeState: resumeState ?? new Uint8Array(0),
  };
  await frames.send({ welcome: answer });
  const established = establish(frames, limits, {
    id: sessionId,
    node: hello.node,
    epoch,
    version: answer.version,
    features: new Set(answer.features),
    heartbeatMs: answer.heartbeatMs,
    clusterUid: answer.clusterUid,
    incarnation: answer.incarnation,
    follows: answer.follows,
    peerMaxFrameBytes: limits.maxFrameBytes,
    peerSoftware: hello.software,
    hubTimeMs: 0,
    peerResumeState: hello.resumeState,
  });
  return { ...established, hello };
}

/** Epochs count sessions. One beyond this is made up, and believing it would leave no room above it. */
const MAX_LAST_EPOCH = 2 ** 48;

/** What no policy can overrule: versions, purpose, required features, and the name in the certificate. */
function incompatibility(hello: Hello, connection: Connection, welcome: HubWelcome): Decision | undefined {
  if (hello.minVersion > PROTOCOL_VERSIONS.max || hello.maxVersion < PROTOCOL_VERSIONS.min) {
    const spoken = `the hub speaks protocol versions ${PROTOCOL_VERSIONS.min} to ${PROTOCOL_VERSIONS.max}`;
    const message = `${spoken}, the edge ${hello.minVersion} to ${hello.maxVersion}`;
    return { reject: { code: 'incompatible', error: 'ERR_TUNNEL_INCOMPATIBLE', message } };
  }
  if (hello.purpose !== PURPOSE.control && hello.purpose !== PURPOSE.bulk) {
    const message = `this hub does not know what a connection of purpose ${hello.purpose} is for`;
    return { reject: { code: 'incompatible', error: 'ERR_TUNNEL_INCOMPATIBLE', message } };
  }
  const lacking = hello.requiredFeatures.filter((feature) => welcome.features?.includes(feature) !== true);
  if (lacking.length > 0) {
    const message = `the edge requires what this hub lacks: ${lacking.join(', ')}`;
    return { reject: { code: 'incompatible', error: 'ERR_TUNNEL_INCOMPATIBLE', message } };
  }
  if (hello.lastEpoch > MAX_LAST_EPOCH) {
    const message = `no session can have had epoch ${hello.lastEpoch}`;
    return { reject: { code: 'protocol-error', error: 'ERR_TUNNEL_BAD_FRAME', message } };
  }
  const { nodeName, commonName } = connection.peer;
  if (nodeName === undefined || nodeName !== hello.node) {
    const message = `the certificate is for ${commonName}, the hello for node ${JSON.stringify(hello.node)}`;
    return { reject: { code: 'unauthorized', error: 'ERR_TUNNEL_CERT_NAME', message } };
  }
  return undefined;
}

function handshakeLimits(limits: TunnelLimits): { maxFrameBytes: number; peerMaxFrameBytes: number } {
  return { maxFrameBytes: limits.maxHandshakeFrameBytes, peerMaxFrameBytes: limits.maxHandshakeFrameBytes };
}

function establish(frames: FrameStream, limits: TunnelLimits, info: SessionInfo): Established {
  frames.maxFrameBytes = limits.maxFrameBytes;
  frames.peerMaxFrameBytes = info.peerMaxFrameBytes;
  return { frames, info };
}

/** Wishes outside the permitted range are brought into it. */
function clampHeartbeat(wishMs: number): number {
  return Math.min(HEARTBEAT_MS.max, Math.max(HEARTBEAT_MS.min, wishMs));
}
