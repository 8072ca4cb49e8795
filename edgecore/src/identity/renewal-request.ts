import { verifyPeer, type HubAddress } from '@hawser/proto';
import { answerText, readHubAnswer } from './hub-refusal.ts';
import { speakWithHub } from './hub-request.ts';
import type { Issued } from './identity-bundle.ts';
import type { NodeIdentity } from './node-identity.ts';

/** Settings of {@link renewOverHttps}. */
export interface HttpsRenewal {
  readonly identity: NodeIdentity;
  readonly hub: HubAddress;
  /** Trusted time, milliseconds since the epoch: `TrustedClock.wallMs`. */
  readonly wallMs: () => number;
  readonly signal?: AbortSignal;
}

/**
 * Renews over plain HTTPS on the tunnel's port, with the node's certificate as the client's: the way for one that has
 * ended, not longer ago than the hub's grace (30 days by default).
 * @throws as `joinCluster`
 */
export async function renewOverHttps(csr: string, renewal: HttpsRenewal): Promise<Issued> {
  const { identity, hub, wallMs, signal } = renewal;
  const client = identity.newest;
  const call = { hub, client, ...(signal !== undefined && { signal }) };
  const answer = await speakWithHub(call, async (conversation) => {
    conversation.verify((certificate) => {
      verifyPeer(certificate, { role: 'hub', authorities: client.authorities, dialedHost: hub.host, wallMs });
    });
    return await conversation.ask({ method: 'POST', path: '/v1/renew', body: { csr } });
  });
  const body = readHubAnswer(answer);
  return { certificate: answerText(body, 'certificate'), authorities: answerText(body, 'authorities') };
}
