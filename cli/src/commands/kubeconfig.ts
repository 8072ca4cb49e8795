import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AdminClient, type LocalApiStatus } from '@hawser/edgecore/admin';
import { stringify } from 'yaml';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Options of `hawser kubeconfig`. */
export interface KubeconfigOptions extends EdgeOptions {
  /** URL of the API. Default: the local API on loopback. */
  readonly server?: string;
  readonly userTokenFile?: string;
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  /** Default: standard output. */
  readonly file?: string;
}

const NAME = 'hawser-edge';

/**
 * Writes a kubeconfig for the local API of this node. Files of users are named in it, not copied: tokens are renewed
 * where they are.
 */
export async function kubeconfig(
  context: CommandContext,
  options: KubeconfigOptions,
): Promise<ExitCode | undefined> {
  const user = userOf(options);
  const { socket } = await findEdge(options);
  const api = await new AdminClient({ socket }).localApi(context.signal);
  const { url, authority } = serverOf(options.server, api);
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: NAME,
        cluster: {
          server: url,
          'certificate-authority-data': Buffer.from(authority).toString('base64'),
        },
      },
    ],
    users: [{ name: NAME, user }],
    contexts: [{ name: NAME, context: { cluster: NAME, user: NAME } }],
    'current-context': NAME,
  });
  if (options.file === undefined || options.file === '-') {
    context.streams.stdout.write(text);
    return undefined;
  }
  await writeWhole(options.file, text);
  context.progress(`${options.file}: ${url}`);
  return undefined;
}

/** @throws CliError `ERR_CLI_USAGE` */
function userOf({
  userTokenFile,
  clientCertificate,
  clientKey,
}: KubeconfigOptions): Readonly<Record<string, string>> {
  if ((clientCertificate === undefined) !== (clientKey === undefined)) {
    throw new CliError('ERR_CLI_USAGE', '--client-certificate and --client-key are said together');
  }
  if (userTokenFile !== undefined && clientCertificate !== undefined) {
    throw new CliError('ERR_CLI_USAGE', 'a user has a token or a certificate, not both');
  }
  if (userTokenFile !== undefined) return { tokenFile: path.resolve(userTokenFile) };
  if (clientCertificate === undefined || clientKey === undefined) return {};
  return {
    'client-certificate': path.resolve(clientCertificate),
    'client-key': path.resolve(clientKey),
  };
}

/** @throws CliError `ERR_CLI_NOT_FOUND` where there is no local API; `ERR_CLI_USAGE` for what is no URL */
function serverOf(
  wanted: string | undefined,
  api: LocalApiStatus | undefined,
): { readonly url: string; readonly authority: string } {
  if (api === undefined || api.certificate === '' || api.port === 0) {
    const why = api?.problems.map(({ message }) => ` ${message}`).join('') ?? '';
    throw new CliError('ERR_CLI_NOT_FOUND', `This node has no local API.${why}`, {
      remedy: 'See `localApi.port` in edgecore.yaml: 0 means none; and hawser status.',
    });
  }
  const url = wanted ?? `https://127.0.0.1:${api.port}`;
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
    throw new CliError('ERR_CLI_USAGE', `--server ${JSON.stringify(url)} is no https URL`, {
      about: '--server',
    });
  }
  return { url, authority: api.certificate };
}

/** For its owner alone; whoever reads the file sees the old one or the new one. @throws CliError `ERR_CLI_CONFIG` */
async function writeWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    const message = `${file} cannot be written: ${(cause as Error).message}`;
    throw new CliError('ERR_CLI_CONFIG', message, { cause, about: file });
  }
}
