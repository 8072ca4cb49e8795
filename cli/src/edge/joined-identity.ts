import { X509Certificate, createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PKI_DIR, PKI_FILES } from '@hawser/edgecore/admin';

/** What the files on this machine say of its having joined; read without a running edgecore, and without changes. */
export interface JoinedIdentity {
  /** Where it was looked for. */
  readonly file: string;
  /** Undefined: the file is there and cannot be used, which `problem` explains. */
  readonly node?: string;
  /** RFC 3339. */
  readonly certificateExpires?: string;
  /** SHA-256 of the authorities' DER, lower-case hex: what join tokens begin with. */
  readonly pins: readonly string[];
  readonly clusterUid?: string;
  readonly pool?: string;
  readonly problem?: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const NODE = /^CN=system:node:(.+)$/m;

/** Reads the identity in a data folder; undefined where the machine has not joined. */
export async function readJoinedIdentity(dataDir: string): Promise<JoinedIdentity | undefined> {
  const folder = path.join(dataDir, PKI_DIR);
  const file = path.join(folder, PKI_FILES.node);
  try {
    const [certificate, ...authorities] = (await readFile(file, 'utf8')).match(CERTIFICATE) ?? [];
    if (certificate === undefined) return { file, pins: [], problem: 'it has no certificate' };
    const { subject, validTo } = new X509Certificate(certificate);
    const node = NODE.exec(subject)?.[1];
    if (node === undefined) return { file, pins: [], problem: 'its certificate is not a node’s' };
    return {
      file,
      node,
      certificateExpires: new Date(validTo).toISOString(),
      pins: authorities.map(pinOf),
      ...(await readCluster(path.join(folder, PKI_FILES.cluster))),
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    return { file, pins: [], problem: (error as Error).message };
  }
}

function pinOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

/** What the hub said at the join; nothing depends on it. */
async function readCluster(file: string): Promise<{ clusterUid?: string; pool?: string }> {
  try {
    const { clusterUid, pool } = JSON.parse(await readFile(file, 'utf8')) as Readonly<
      Record<string, unknown>
    >;
    return {
      ...(typeof clusterUid === 'string' && { clusterUid }),
      ...(typeof pool === 'string' && { pool }),
    };
  } catch {
    return {}; // not there, or damaged: edgecore says so in its log
  }
}
