import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { credentialsFromPem, type Credentials } from '@hawser/proto';
import { TestAuthority } from '@hawser/proto/testing';

/** Identities of a site that lives as long as a test or a demonstration: a hub's, and edges' as they are asked for. */
export class SiteIdentities {
  readonly #authority: TestAuthority;
  readonly #dir: string;

  private constructor(authority: TestAuthority, dir: string) {
    this.#authority = authority;
    this.#dir = dir;
  }

  /** Makes an authority, and the hub's identity as files in `dir` (0600). */
  static async create(dir: string): Promise<SiteIdentities> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const identities = new SiteIdentities(await TestAuthority.create('CN=hawser-demo-ca'), dir);
    // The last one is the cloud's side of a pair of network namespaces.
    const names = ['127.0.0.1', '::1', 'localhost', '198.18.0.2'];
    await identities.#write('hub', await identities.#authority.hub({ names }));
    return identities;
  }

  /** Credentials of the hub, for a hub in this process. */
  hub(): Promise<Credentials> {
    return readIdentityFiles(this.#dir, 'hub');
  }

  /** Credentials of an edge node, for an edge in this process. */
  edge(node: string): Promise<Credentials> {
    return this.#authority.edge(node);
  }

  /** Writes an edge's identity as files, for an edge in a process of its own. */
  async writeEdge(node: string): Promise<void> {
    await this.#write(node, await this.#authority.edge(node));
  }

  async #write(name: string, credentials: Credentials): Promise<void> {
    const files = {
      key: credentials.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
      crt: credentials.certificate.toString(),
      ca: credentials.authorities.map((authority) => authority.toString()).join(''),
    };
    for (const [kind, text] of Object.entries(files)) {
      await writeFile(path.join(this.#dir, `${name}.${kind}.pem`), text, { mode: 0o600 });
    }
  }
}

/** Reads the identity that {@link SiteIdentities} wrote. */
export async function readIdentityFiles(dir: string, name: string): Promise<Credentials> {
  const read = (kind: string): Promise<string> => readFile(path.join(dir, `${name}.${kind}.pem`), 'utf8');
  return credentialsFromPem({
    privateKey: await read('key'),
    certificate: await read('crt'),
    authorities: await read('ca'),
  });
}
