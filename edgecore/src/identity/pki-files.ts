/** Folder of the identity, in the data folder. */
export const PKI_DIR = 'pki';

/** Files in the folder of the identity. */
export const PKI_FILES = {
  /** Key, certificate and authorities in use. */
  node: 'node.pem',
  /** The same of a renewal, until a hub has let it in once. */
  next: 'next.pem',
  /** The key of a renewal that is under way. */
  nextKey: 'next.key',
  /** The key of a join that is under way. */
  joinKey: 'join.key',
  /** Which cluster this is, JSON. */
  cluster: 'cluster.json',
} as const;
