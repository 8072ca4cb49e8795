import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import type { ExitCode } from '../exit-codes.ts';

/** Ends the session with the hub and begins another one, at once, without waiting for a back-off. */
export async function reconnect(
  context: CommandContext,
  options: EdgeOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  await new AdminClient({ socket }).reconnect(context.signal);
  context.result({ reconnecting: true }, 'edgecore connects anew. `hawser status` shows how that goes.');
  return undefined;
}
