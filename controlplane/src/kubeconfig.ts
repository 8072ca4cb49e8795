import type { KeyPair } from './pki/certificates.ts';

/** What a kubeconfig is made of. */
export interface KubeconfigInput {
  /** `https://host:port`. */
  readonly server: string;
  /** The server's authority, PEM. */
  readonly ca: string;
  readonly client: KeyPair;
}

const NAME = 'hawser';

/**
 * A kubeconfig (as JSON, which is YAML) with one cluster, one user and one context, everything inside it.
 * Source: client-go tools/clientcmd/api/v1.
 */
export function kubeconfig({ server, ca, client }: KubeconfigInput): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const user = { 'client-certificate-data': base64(client.cert), 'client-key-data': base64(client.key) };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster: { server, 'certificate-authority-data': base64(ca) } }],
    users: [{ name: 'kubernetes-admin', user }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: 'kubernetes-admin' } }],
    'current-context': NAME,
    preferences: {},
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
