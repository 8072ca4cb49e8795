import { AdminClient } from '@hawser/edgecore/admin';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions } from '../edge/edge-place.ts';
import type { ExitCode } from '../exit-codes.ts';
import { describeText } from '../pods/describe-text.ts';

/** Options of `hawser describe pod`. */
export interface DescribeOptions extends EdgeOptions {
  readonly namespace: string;
}

/** Shows all about one pod: what it shall be, how it is, what happened to it here; needs no cloud. */
export async function describePod(
  context: CommandContext,
  name: string,
  options: DescribeOptions,
): Promise<ExitCode | undefined> {
  const { socket } = await findEdge(options);
  const view = await new AdminClient({ socket }).pod(options.namespace, name, context.signal);
  context.result(view, describeText(view, Date.now()));
  return undefined;
}
