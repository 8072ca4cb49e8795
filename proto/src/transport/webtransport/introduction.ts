import { X509Certificate } from 'node:crypto';
import { encodeConnectionFrame } from '../../codec/codec.ts';
import { TunnelError } from '../../errors.ts';
import type { Credentials } from '../../identity/credentials.ts';
import { verifyPeer, type VerifyOptions } from '../../identity/identity-verifier.ts';
import type { PeerIdentity } from '../../identity/peer-identity.ts';
import type { ByteStream, MessageStream } from '../../stream/message-stream.ts';
import { nextFrame, outOfOrder, refusal, tellRefused } from '../identity-exchange.ts';
import { isSignedBy, signStatement, statementOf, type Exporter } from './proof.ts';

/** Longest message of the introduction, bytes: a certificate, and what comes with it. */
export const MAX_INTRODUCTION_BYTES = 16 * 1024;

/** One end's view of a TLS connection in which the hub alone has shown a certificate. */
export interface Introduction {
  readonly messages: MessageStream<ByteStream>;
  readonly tls: Exporter;
  /** The certificate that the hub has shown, DER. */
  readonly hubCertificate: Uint8Array;
}

/** Shows the edge's certificate to a hub that is verified already, and proves its key. @throws what the hub refuses it with */
export async function introduceEdge(
  { messages, tls, hubCertificate }: Introduction,
  { certificate, privateKey }: Credentials,
): Promise<void> {
  const statement = statementOf(tls, { hub: hubCertificate, edge: certificate.raw });
  const proof = signStatement(statement, privateKey);
  await messages.send(encodeConnectionFrame({ hello: { certificates: [certificate.raw], proof } }));
  const answer = await nextFrame(messages);
  if (answer.body === 'refused') throw refusal(answer.refused);
  if (answer.body !== 'accepted') throw outOfOrder('accepted', answer);
}

/** The hub's side of {@link introduceEdge}. An edge that is refused learns why. */
export async function meetEdge(
  { messages, tls, hubCertificate }: Introduction,
  verify: VerifyOptions,
): Promise<PeerIdentity> {
  const hello = await nextFrame(messages);
  if (hello.body !== 'hello') throw outOfOrder('hello', hello);
  const { certificates, proof } = hello.hello;
  const [edge = new Uint8Array(0)] = certificates;
  try {
    const peer = verifyPeer(edge, verify);
    checkProof(edge, statementOf(tls, { hub: hubCertificate, edge }), proof);
    await messages.send(encodeConnectionFrame({ accepted: {} }));
    return peer;
  } catch (error) {
    if (error instanceof TunnelError) await tellRefused(messages, error);
    throw error;
  }
}

/** The certificate is one of ours by now, and its key of a kind that is accepted. */
function checkProof(certificate: Uint8Array, statement: Buffer, proof: Uint8Array): void {
  if (isSignedBy(new X509Certificate(certificate).publicKey, statement, proof)) return;
  const message = 'the edge did not prove, on this connection, that it has the key of its certificate';
  throw new TunnelError('ERR_TUNNEL_CERT_KEY', message, { certificate: 'peer' });
}
