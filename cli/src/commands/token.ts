import { JoinTokens, type JoinToken } from '@hawser/cloudcore/admin';
import { formatAddress } from '../cloud/address.ts';
import { joinCommand, readHubNames } from '../cloud/hub-address.ts';
import { presentAuthority } from '../cloud/installed.ts';
import { withCluster, type KubeOptions } from '../cloud/kube-access.ts';
import type { CommandContext } from '../command-context.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { table } from '../output/table.ts';
import { formatRelative, formatTime, parseDuration } from '../output/times.ts';

/** Options of `hawser token create`. */
export interface TokenCreateOptions extends KubeOptions {
  readonly ttl: string;
  readonly uses?: number;
  readonly node?: string;
  readonly pool?: string;
  readonly replace?: boolean;
  readonly description?: string;
  /** Address of the hub in the join command. Default: what `hawser init` was told. */
  readonly cloud?: string;
}

/** Makes a join token, and says the command to join with. The secret is shown once, here. */
export async function tokenCreate(
  context: CommandContext,
  options: TokenCreateOptions,
): Promise<ExitCode | undefined> {
  const ttlMs = parseDuration(options.ttl, '--ttl');
  const { uses, node, pool, replace, description } = options;
  await withCluster(context, options, async (client) => {
    const { pin } = await presentAuthority(client, context.signal);
    const { token, details } = await new JoinTokens({ client, pin }).create({
      ttlMs,
      ...(uses !== undefined && { uses }),
      ...(node !== undefined && { node }),
      ...(pool !== undefined && { pool }),
      ...(replace !== undefined && { replace }),
      ...(description !== undefined && { description }),
    });
    const names = await readHubNames(client, context.signal);
    const known = names === undefined ? undefined : formatAddress(names.advertise[0] ?? '', names.port);
    const address = options.cloud ?? known ?? 'HOST:PORT';
    const command = `${joinCommand(address, token)}${joinExtras(details)}`;
    const text = [
      ...(address === 'HOST:PORT' ? ['Put the address of the hub in place of HOST:PORT.', ''] : []),
      command,
    ].join('\n');
    context.progress(
      `Good until ${formatTime(details.expiresAt)}, for ${usesText(details)}. Shown only now.`,
    );
    context.result({ ...publicToken(details), token, command }, text);
  });
  return undefined;
}

function joinExtras({ node, pool, replace }: JoinToken): string {
  return [
    ...(node === undefined ? [] : [` --name ${node}`]),
    ...(pool === undefined ? [] : [` --pool ${pool}`]),
    ...(replace ? [' --replace'] : []),
  ].join('');
}

/** Options of `hawser token list`. */
export type TokenListOptions = KubeOptions;

/** Lists the join tokens of the cluster, without their secrets, which nobody has. */
export async function tokenList(
  context: CommandContext,
  options: TokenListOptions,
): Promise<ExitCode | undefined> {
  await withCluster(context, options, async (client) => {
    const { pin } = await presentAuthority(client, context.signal);
    const tokens = await new JoinTokens({ client, pin, logger: context.log }).list();
    const nowMs = Date.now();
    const rows = tokens.map((token) => [
      token.id,
      stateOf(token, nowMs),
      formatRelative(token.expiresAt, nowMs),
      `${token.uses.length}/${token.maxUses}`,
      token.node ?? '-',
      token.pool ?? '-',
      token.replace ? 'yes' : 'no',
      token.uses.map(({ node }) => node).join(',') || '-',
      token.description ?? '',
    ]);
    const header = ['ID', 'STATE', 'EXPIRES', 'USED', 'NODE', 'POOL', 'REPLACE', 'USED BY', 'DESCRIPTION'];
    const text = tokens.length === 0 ? 'There are no join tokens.' : table([header, ...rows]);
    context.result(tokens.map(publicToken), text);
  });
  return undefined;
}

/** Options of `hawser token revoke`. */
export interface TokenRevokeOptions extends KubeOptions {
  /** Its id, or its whole text. */
  readonly token: string;
}

/** Takes a join token back. Nodes that have joined with it stay. */
export async function tokenRevoke(
  context: CommandContext,
  { token, ...options }: TokenRevokeOptions,
): Promise<ExitCode | undefined> {
  await withCluster(context, options, async (client) => {
    const { pin } = await presentAuthority(client, context.signal);
    if (!(await new JoinTokens({ client, pin }).revoke(token))) {
      const remedy = '`hawser token list` shows the tokens that there are, by their ids.';
      // Without the text: it may be a token of another cluster.
      throw new CliError('ERR_CLI_NOT_FOUND', 'there is no such join token', { remedy });
    }
    context.result({ revoked: true }, 'The join token is revoked. Nodes that have joined with it stay.');
  });
  return undefined;
}

/** What may be shown of a token: not even the hash of its secret. */
function publicToken(token: JoinToken): Readonly<Record<string, unknown>> {
  const { id, createdAt, expiresAt, maxUses, uses, node, pool, replace, description } = token;
  return {
    id,
    createdAt,
    expiresAt,
    maxUses,
    uses: uses.map(({ node: user, at }) => ({ node: user, at })),
    replace,
    ...(node !== undefined && { node }),
    ...(pool !== undefined && { pool }),
    ...(description !== undefined && { description }),
  };
}

function stateOf({ expiresAt, uses, maxUses }: JoinToken, nowMs: number): string {
  if (Date.parse(expiresAt) <= nowMs) return 'expired';
  return uses.length >= maxUses ? 'used up' : 'good';
}

function usesText({ maxUses }: JoinToken): string {
  return maxUses === 1 ? 'one node' : `${maxUses} nodes`;
}
