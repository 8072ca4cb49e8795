import type { Command } from 'commander';
import type { KubeOptions } from './cloud/kube-access.ts';
import type { CommonOptions } from './command-context.ts';
import type { NodeRevokeOptions } from './commands/node.ts';
import type { TokenCreateOptions } from './commands/token.ts';
import { count, examples, kubeOptions, leaf, type Runner } from './program-parts.ts';

/** `hawser token …`. */
export function addTokenCommands(program: Command, run: Runner): void {
  const token = program.command('token').description('join tokens (in the cloud)');
  const create = kubeOptions(leaf(token, 'create', 'make a join token, and print the command to join with'))
    .option('--ttl <duration>', 'how long it lives: 30m, 24h, 7d', '24h')
    .option('--uses <count>', 'how many nodes may join with it (default: 1)', count)
    .option('--node <name>', 'only this node may join with it')
    .option('--pool <name>', 'the pool of the nodes that join with it')
    .option('--replace', 'it may take over the name of a node whose certificate lives')
    .option('--description <text>', 'what it is for, for people')
    .option('--cloud <address>', 'address of the hub in the join command (default: what `init` was told)')
    .action((options: TokenCreateOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/token.ts')).tokenCreate(context, options)),
    );
  examples(create, [
    'hawser token create',
    'hawser token create --uses 50 --ttl 8h --pool shops --description "roll-out of May"',
    'hawser token create --node shop-17 --replace',
  ]);
  const list = kubeOptions(leaf(token, 'list', 'list the join tokens, without their secrets'));
  list.action((options: KubeOptions & CommonOptions) =>
    run(options, async (context) => (await import('./commands/token.ts')).tokenList(context, options)),
  );
  examples(list, ['hawser token list', 'hawser token list --output json']);
  const revoke = kubeOptions(leaf(token, 'revoke', 'take a join token back'))
    .argument('<token>', 'its id, or all of it')
    .action((given: string, options: KubeOptions & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/token.ts')).tokenRevoke(context, { ...options, token: given });
      }),
    );
  examples(revoke, ['hawser token revoke 3f9a0c1d2e4b5a69']);
}

/** `hawser node …`. */
export function addNodeCommands(program: Command, run: Runner): void {
  const node = program.command('node').description('nodes that have joined (in the cloud)');
  const list = kubeOptions(leaf(node, 'list', 'list them: ready, certificate, who holds the session'));
  list.action((options: KubeOptions & CommonOptions) =>
    run(options, async (context) => (await import('./commands/node.ts')).nodeList(context, options)),
  );
  examples(list, ['hawser node list']);
  const show = kubeOptions(leaf(node, 'show', 'show one, with its certificates'))
    .argument('<name>', 'name of the node')
    .action((name: string, options: KubeOptions & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/node.ts')).nodeShow(context, { ...options, name });
      }),
    );
  examples(show, ['hawser node show shop-17']);
  const revoke = kubeOptions(leaf(node, 'revoke', 'shut one out, at once'))
    .argument('<name>', 'name of the node')
    .option('-y, --yes', 'do not ask')
    .option('--force', 'also a name that no record is known of, after a restore from a backup')
    .action((name: string, options: Omit<NodeRevokeOptions, 'name'> & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/node.ts')).nodeRevoke(context, { ...options, name });
      }),
    );
  examples(revoke, ['hawser node revoke shop-17', 'hawser node revoke shop-17 --yes']);
}
