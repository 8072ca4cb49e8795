import type { Credentials } from '@hawser/proto';
import { createCsr } from '../../src/identity/csr.ts';
import { credentialsFromIssued, formatBundle } from '../../src/identity/identity-bundle.ts';
import { PKI_FILES } from '../../src/identity/node-identity.ts';
import { generateNodeKey, type NodeKeyType } from '../../src/identity/node-key.ts';
import type { PkiFolder } from '../../src/identity/pki-folder.ts';
import type { SigningAuthority } from './signing-authority.ts';

/** Credentials of a node, as a join leaves them. */
export async function issuedCredentials(
  authority: SigningAuthority,
  wish: { node?: string; keyType?: NodeKeyType; notBefore?: Date; notAfter?: Date } = {},
): Promise<Credentials> {
  const { node = 'edge-1', keyType, ...dates } = wish;
  const key = await generateNodeKey(keyType);
  const issued = await authority.sign(createCsr(key, node), dates);
  return credentialsFromIssued(issued, key, { node, authorities: [authority.certificate] });
}

/** Puts the identity of a node that has joined into a folder. */
export async function joinedFolder(
  folder: PkiFolder,
  authority: SigningAuthority,
  wish: Parameters<typeof issuedCredentials>[1] = {},
): Promise<Credentials> {
  const credentials = await issuedCredentials(authority, wish);
  const { node = 'edge-1' } = wish;
  await folder.open();
  await folder.write(PKI_FILES.cluster, JSON.stringify({ node, clusterUid: 'uid-1' }));
  await folder.write(PKI_FILES.node, formatBundle(credentials));
  return credentials;
}
