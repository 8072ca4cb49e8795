import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { HttpApiClient, staticCredentials, type TlsMaterial } from '@hawser/kube';
import { processUsage, startNode, type Bench, type NodeChild } from '../../src/index.ts';

/** Settings of a control plane's process. */
export interface ControlPlaneSettings {
  /** Where its database and keys are. */
  readonly dataDir: string;
  /** Default: any free one. */
  readonly port?: number;
}

/** What it says when it is ready. */
export interface ControlPlaneReady {
  readonly url: string;
  /** An administrator's, as JSON. */
  readonly kubeconfig: string;
}

/** The part of a kubeconfig with one cluster and one user that is read here. */
interface Kubeconfig {
  readonly clusters: readonly [{ readonly cluster: Readonly<Record<string, string>> }];
  readonly users: readonly [{ readonly user: Readonly<Record<string, string>> }];
}

/** A control plane in a process of its own, and what a client in this process needs. */
export interface ControlPlaneProcess {
  readonly url: string;
  /** An administrator's, with a client certificate. */
  readonly tls: TlsMaterial;
  readonly client: HttpApiClient;
  /** Resident memory of the process. */
  rssMb(): Promise<number>;
  /** Ends it in good order. May be called again. */
  stop(): Promise<void>;
}

const MB = 1e6;

/** Starts a control plane over TLS, with all its controllers; resolves when every one of them works. */
export async function startControlPlaneProcess(
  bench: Bench,
  settings: ControlPlaneSettings,
): Promise<ControlPlaneProcess> {
  const script = new URL('control-plane-child.js', import.meta.url);
  const child = await startNode({ script, args: [JSON.stringify(settings)], readyTimeoutMs: 60_000 });
  const { url, kubeconfig } = child.ready as ControlPlaneReady;
  const tls = tlsOf(JSON.parse(kubeconfig) as Kubeconfig);
  const client = new HttpApiClient({ server: url, credentials: staticCredentials({ tls }) });
  const stop = async (): Promise<void> => {
    client.close();
    await child.stop();
  };
  bench.onEnd(stop);
  return { url, tls, client, stop, rssMb: () => rssMb(child) };
}

async function rssMb(child: NodeChild): Promise<number> {
  return (await processUsage(child.pid)).rssBytes / MB;
}

/** Asks a path once, over a connection of its own. @returns status and body */
export async function ask(
  { url, tls }: Pick<ControlPlaneProcess, 'url' | 'tls'>,
  path: string,
): Promise<string> {
  const request = https.get(new URL(path, url), { ...tls, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) body += chunk;
  return `${response.statusCode} ${body}`;
}

function tlsOf({ clusters: [{ cluster }], users: [{ user }] }: Kubeconfig): TlsMaterial {
  const pem = (base64: string | undefined): string => Buffer.from(base64 ?? '', 'base64').toString();
  return {
    ca: pem(cluster['certificate-authority-data']),
    cert: pem(user['client-certificate-data']),
    key: pem(user['client-key-data']),
  };
}
