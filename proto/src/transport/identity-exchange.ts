import { boundedText } from '../bounded-text.ts';
import { decodeConnectionFrame, encodeConnectionFrame, type ConnectionFrame } from '../codec/codec.ts';
import { refusalByPeer, TunnelError } from '../errors.ts';
import type { Credentials } from '../identity/credentials.ts';
import { verifyPeer, type VerifyOptions } from '../identity/identity-verifier.ts';
import type { PeerIdentity } from '../identity/peer-identity.ts';
import type { ByteStream, MessageStream } from '../stream/message-stream.ts';

/** What of a refusal's reason travels. */
const MAX_REASON_CHARACTERS = 512;

/**
 * Identity on transports whose TLS proves a key but carries no X.509 certificate: both sides show the certificate
 * for that key, the dialer first. Each verifies the other's before it goes on.
 *
 * `verify.provenKey` must be the key that the transport has proven.
 */
export async function introduceAsDialer(
  messages: MessageStream,
  credentials: Credentials,
  verify: VerifyOptions,
): Promise<PeerIdentity> {
  await messages.send(encodeConnectionFrame({ hello: { certificates: [credentials.certificate.raw] } }));
  const answer = await nextFrame(messages);
  if (answer.body === 'refused') throw refusal(answer.refused);
  if (answer.body !== 'hello') throw outOfOrder('hello', answer);
  const peer = verifyPeer(answer.hello.certificates[0], verify);
  await messages.send(encodeConnectionFrame({ accepted: {} }));
  return peer;
}

/** The listener's side of {@link introduceAsDialer}. A dialer that is refused learns why. */
export async function introduceAsListener(
  messages: MessageStream,
  credentials: Credentials,
  verify: VerifyOptions,
): Promise<PeerIdentity> {
  const hello = await nextFrame(messages);
  if (hello.body !== 'hello') throw outOfOrder('hello', hello);
  let peer: PeerIdentity;
  try {
    peer = verifyPeer(hello.hello.certificates[0], verify);
  } catch (error) {
    if (error instanceof TunnelError) {
      await tellRefused(messages, error);
      await messages.stream.end().catch(() => {}); // likewise
    }
    throw error;
  }
  await messages.send(encodeConnectionFrame({ hello: { certificates: [credentials.certificate.raw] } }));
  const answer = await nextFrame(messages);
  if (answer.body !== 'accepted') throw outOfOrder('accepted', answer);
  return peer;
}

/** Tells a dialer why its certificate does not hold. One that has gone need not be told. */
export async function tellRefused(messages: MessageStream<ByteStream>, error: TunnelError): Promise<void> {
  const message = boundedText(error.message, MAX_REASON_CHARACTERS); // it quotes names in the certificate
  await messages.send(encodeConnectionFrame({ refused: { code: error.code, message } })).catch(() => {});
}

/** Reads a frame of the connection stream, passing over those that are unknown and ignorable. */
export async function nextFrame(
  messages: MessageStream<ByteStream>,
): Promise<ConnectionFrame & { body: string }> {
  while (true) {
    const message = await messages.receive();
    if (message === undefined)
      throw new TunnelError('ERR_TUNNEL_CONNECTION_LOST', 'the peer ended the connection stream');
    const frame = decode(message);
    if (frame.body !== undefined) return frame;
    if (!frame.ignorable)
      throw new TunnelError('ERR_TUNNEL_UNKNOWN_FRAME', 'unknown frame on the connection stream');
  }
}

function decode(message: Uint8Array): ConnectionFrame {
  try {
    return decodeConnectionFrame(message);
  } catch (error) {
    throw new TunnelError('ERR_TUNNEL_BAD_FRAME', 'unreadable frame on the connection stream', {
      cause: error,
    });
  }
}

/** The error for a frame that came where another one was due. */
export function outOfOrder(wanted: string, frame: ConnectionFrame & { body: string }): TunnelError {
  return new TunnelError('ERR_TUNNEL_BAD_FRAME', `${frame.body} where ${wanted} was due`);
}

/** The error for what the hub has answered. */
export function refusal(refused: { readonly code: string; readonly message: string }): TunnelError {
  const said = boundedText(refused.message, MAX_REASON_CHARACTERS);
  return refusalByPeer(refused.code, `the hub refuses this certificate: ${said}`);
}
