import type { Command } from 'commander';
import type { OutputFormat } from './command-context.ts';
import type { KubeconfigOptions } from './commands/kubeconfig.ts';
import type { PoolStatusOptions } from './commands/pool.ts';
import { edgeOptions, examples, leaf, type Runner } from './program-parts.ts';

const POOL_FORMATS = [
  'text',
  'table',
  'json',
  'yaml',
] as const satisfies readonly PoolStatusOptions['format'][];

/** Commands about the pool of this node and its local API; none of them needs a cloud. */
export function addPoolCommands(program: Command, run: Runner): void {
  const pool = program.command('pool').description('the pool of this node (at the edge)');
  addStatus(pool, run);
  addKubeconfig(program, run);
}

function addStatus(pool: Command, run: Runner): void {
  const description = 'leader, members and what is shared, as this member sees it; needs no cloud';
  const command = edgeOptions(leaf(pool, 'status', description, POOL_FORMATS))
    .option('-w, --watch', 'look again every 2 s, until Ctrl-C')
    .action((given: Omit<PoolStatusOptions, 'format'> & Given<PoolStatusOptions['format']>) => {
      const output: OutputFormat = given.output === 'json' ? 'json' : 'text';
      return run({ ...given, output }, async (context) => {
        const { poolStatus } = await import('./commands/pool.ts');
        return await poolStatus(context, { ...given, format: given.output });
      });
    });
  examples(command, [
    'hawser pool status',
    'hawser pool status --watch',
    'hawser pool status -o json | jq .members',
  ]);
  command.addHelpText('after', '\nExit code: 0 the pool is well; 3 there is a problem.');
}

function addKubeconfig(program: Command, run: Runner): void {
  const description = 'a kubeconfig for the Kubernetes API that this node serves (at the edge)';
  const command = edgeOptions(leaf(program, 'kubeconfig', description, []))
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option('--server <url>', 'URL of the API (default: on loopback, as edgecore says)')
    .option('--user-token-file <file>', 'file of a token to use; it is read again when it changes')
    .option('--client-certificate <file>', 'certificate to use, instead of a token')
    .option('--client-key <file>', 'its key')
    .action((given: Omit<KubeconfigOptions, 'file'> & Partial<Given<string>>) => {
      const { output: file, ...options } = given;
      return run({ ...options, output: 'text' }, async (context) => {
        const { kubeconfig } = await import('./commands/kubeconfig.ts');
        return await kubeconfig(context, { ...options, ...(file !== undefined && { file }) });
      });
    });
  examples(command, [
    'hawser kubeconfig --user-token-file /run/agent/token --output ./edge.conf',
    'kubectl --kubeconfig <(hawser kubeconfig --user-token-file ./token) get endpointslices -A',
  ]);
}

/** What every command is given. */
interface Given<Output> {
  readonly output: Output;
  readonly verbose?: boolean;
}
