import { sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { verifyPeer, type Credentials, type PeerIdentity } from '@hawser/proto';
import { MAX_ADDRESSES_BYTES, type SignedAddresses } from './peer-messages.ts';
import type { PodAddress } from './pool-types.ts';

/** Pods with their addresses, by UID. */
export type PodAddresses = ReadonlyMap<string, Pick<PodAddress, 'ips' | 'ready'>>;

/** What a signature is held against. */
export interface AddressChecks {
  readonly pool: string;
  readonly authorities: readonly X509Certificate[];
  readonly isRevoked: (identity: PeerIdentity) => boolean;
  /** Trusted wall time, milliseconds. */
  readonly wallMs: () => number;
}

const CONTEXT = 'hawser pod addresses v1';
const MAX_PODS = 1_000;
/** An address in text: an IPv6 one with a zone is none of a pod. */
const IP = /^[0-9a-fA-F:.]{2,45}$/;
const UID = /^[0-9A-Za-z._-]{1,128}$/;
const MAX_IPS = 4;

/**
 * Signs where the pods of a node are, with the key of its certificate: Ed25519, or ECDSA P-256 with SHA-256, over
 * `"hawser pod addresses v1" \0 pool \0 node \0 sequence \0 pods`. Pods beyond what a message holds are left out.
 */
export function signAddresses(
  addresses: PodAddresses,
  of: { readonly pool: string; readonly node: string; readonly sequence: number },
  { privateKey, certificate }: Pick<Credentials, 'privateKey' | 'certificate'>,
): SignedAddresses {
  const rows: string[] = [];
  let bytes = 2;
  for (const [uid, { ready, ips }] of [...addresses].slice(0, MAX_PODS)) {
    const row = JSON.stringify([uid, ready, ...ips.slice(0, MAX_IPS)]);
    bytes += row.length + 1;
    if (bytes > MAX_ADDRESSES_BYTES) break;
    rows.push(row);
  }
  const pods = `[${rows.join()}]`;
  const signature = sign(digestOf(privateKey), signedBytes(of.pool, of.node, of.sequence, pods), privateKey);
  return {
    ...{ node: of.node, sequence: of.sequence, pods },
    certificate: certificate.raw.toString('base64'),
    signature: signature.toString('base64'),
  };
}

/**
 * What a node says of its pods. Undefined: malformed, or not signed by that node.
 * @throws TunnelError `ERR_TUNNEL_CERT_…` where the certificate does not hold
 */
export function openAddresses(signed: SignedAddresses, checks: AddressChecks): PodAddresses | undefined {
  const der = Buffer.from(signed.certificate, 'base64');
  const { authorities, isRevoked, wallMs } = checks;
  const { nodeName } = verifyPeer(der, { role: 'peer', node: signed.node, authorities, isRevoked, wallMs });
  if (nodeName !== signed.node) return undefined;
  const { publicKey } = new X509Certificate(der);
  const bytes = signedBytes(checks.pool, signed.node, signed.sequence, signed.pods);
  const signature = Buffer.from(signed.signature, 'base64');
  if (!verify(digestOf(publicKey), bytes, publicKey, signature)) return undefined;
  return readPods(signed.pods);
}

function readPods(text: string): PodAddresses | undefined {
  let rows: unknown;
  try {
    rows = JSON.parse(text);
  } catch {
    return undefined; // signed, and no JSON: its node has a fault
  }
  if (!Array.isArray(rows) || rows.length > MAX_PODS) return undefined;
  const pods = new Map<string, Pick<PodAddress, 'ips' | 'ready'>>();
  for (const row of rows as readonly unknown[]) {
    if (!Array.isArray(row) || row.length > 2 + MAX_IPS) return undefined;
    const [uid, ready, ...ips] = row as readonly unknown[];
    if (typeof uid !== 'string' || !UID.test(uid) || typeof ready !== 'boolean') return undefined;
    if (!ips.every((ip) => typeof ip === 'string' && IP.test(ip))) return undefined;
    pods.set(uid, { ready, ips: ips as readonly string[] });
  }
  return pods;
}

function signedBytes(pool: string, node: string, sequence: number, pods: string): Buffer {
  return Buffer.from([CONTEXT, pool, node, String(sequence), pods].join('\0'));
}

/** Ed25519 has its own. */
function digestOf(key: KeyObject): 'sha256' | null {
  return key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
}
