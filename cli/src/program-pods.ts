import { Argument, type Command } from 'commander';
import type { CommonOptions, OutputFormat } from './command-context.ts';
import type { DescribeOptions } from './commands/describe.ts';
import type { ExecOptions } from './commands/exec.ts';
import type { LogsOptions } from './commands/logs.ts';
import type { PodsOptions } from './commands/pods.ts';
import { edgeOptions, examples, leaf, number, type Runner } from './program-parts.ts';

/** What `hawser pods` can write. */
const POD_FORMATS = ['text', 'wide', 'json'] as const;

/** Commands about the pods of this node; none of them needs a cloud. */
export function addPodCommands(program: Command, run: Runner): void {
  addPods(program, run);
  addDescribe(program, run);
  addLogs(program, run);
  addExec(program, run);
}

function podOptions(command: Command): Command {
  return edgeOptions(command).option('-n, --namespace <name>', 'namespace of the pod', 'default');
}

function addPods(program: Command, run: Runner): void {
  const command = podOptions(leaf(program, 'pods', 'the pods of this node (at the edge)', POD_FORMATS))
    .option('-A, --all-namespaces', 'of all namespaces')
    .action((given: PodsOptions & { readonly output: string; readonly verbose?: boolean }) => {
      const output: OutputFormat = given.output === 'json' ? 'json' : 'text';
      const options = { ...given, output, wide: given.output === 'wide' };
      return run(options, async (context) => (await import('./commands/pods.ts')).pods(context, options));
    });
  examples(command, ['hawser pods', 'hawser pods -A -o wide', 'hawser pods -A -o json | jq .items[].state']);
}

function addDescribe(program: Command, run: Runner): void {
  const command = podOptions(leaf(program, 'describe', 'all about a pod of this node (at the edge)'))
    .addArgument(new Argument('<resource>', 'what it is').choices(['pod']))
    .argument('<name>', 'name of the pod')
    .action((_resource: string, name: string, options: DescribeOptions & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/describe.ts')).describePod(context, name, options);
      }),
    );
  examples(command, ['hawser describe pod till-7f9c', 'hawser describe pod till-7f9c -n shop -o json']);
}

function addLogs(program: Command, run: Runner): void {
  const command = podOptions(leaf(program, 'logs', 'what a container has written (at the edge)', []))
    .argument('<pod>', 'name of the pod')
    .option('-c, --container <name>', 'which of its containers (default: the first one)')
    .option('-f, --follow', 'go on with what is written, until the container ends')
    .option('--tail <lines>', 'only so many lines from the end', number)
    .option('--since <duration>', 'only what is younger than 30s, 5m, 2h')
    .option('--since-time <time>', 'only what is of this time (RFC 3339) or later')
    .option('--timestamps', 'begin each line with its time')
    .option('-p, --previous', 'of the container before the present one')
    .option('--limit-bytes <bytes>', 'end after so many bytes', number)
    .action((pod: string, given: LogsOptions & { readonly verbose?: boolean }) => {
      const options = { ...given, output: 'text' as const };
      return run(options, async (context) =>
        (await import('./commands/logs.ts')).logs(context, pod, options),
      );
    });
  examples(command, [
    'hawser logs till-7f9c',
    'hawser logs till-7f9c -c web -f --tail 100',
    'hawser logs till-7f9c -n shop --previous',
    'hawser logs till-7f9c --since 10m --timestamps',
  ]);
}

function addExec(program: Command, run: Runner): void {
  const command = podOptions(leaf(program, 'exec', 'run a command in a container (at the edge)', []))
    .argument('<pod>', 'name of the pod')
    .argument('<command...>', 'the command and its arguments, after --')
    .option('-c, --container <name>', 'which of its containers (default: the first one)')
    .option('-i, --stdin', 'pass input on to the command')
    .option('-t, --tty', 'give the command a terminal')
    .action((pod: string, words: string[], given: ExecOptions & { readonly verbose?: boolean }) => {
      const options = { ...given, output: 'text' as const };
      return run(options, async (context) => {
        return (await import('./commands/exec.ts')).exec(context, pod, words, options);
      });
    });
  examples(command, [
    'hawser exec till-7f9c -- ls /data',
    'hawser exec -it till-7f9c -c web -- sh',
    'hawser exec -i till-7f9c -- tar x -C /data < data.tar',
  ]);
  command.addHelpText('after', '\nExit code: that of the command; 1 where it could not be run.');
}
