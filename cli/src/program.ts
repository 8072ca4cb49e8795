import { Argument, Command, Option } from 'commander';
import type { CommonOptions } from './command-context.ts';
import type { AcceptClusterOptions } from './commands/accept-cluster.ts';
import type { InitOptions } from './commands/init.ts';
import type { JoinCommandOptions } from './commands/join.ts';
import type { ResetOptions } from './commands/reset.ts';
import type { StatusOptions } from './commands/status.ts';
import type { VersionOptions } from './commands/version.ts';
import { SHELLS, type Shell } from './completion/shells.ts';
import type { EdgeOptions } from './edge/edge-place.ts';
import { TRANSPORTS } from './join/transports.ts';
import { addNodeCommands, addTokenCommands } from './program-cloud.ts';
import { addDeviceCommands } from './program-devices.ts';
import { addPodCommands } from './program-pods.ts';
import { addPoolCommands } from './program-pool.ts';
import {
  DEFAULT_CONFIG_DIR,
  edgeOptions,
  examples,
  kubeOptions,
  leaf,
  several,
  type Runner,
} from './program-parts.ts';
import type { Streams } from './streams.ts';
import { VERSION } from './version.ts';

// Commands are loaded when they run: what one of them needs must not slow the others down. Options have the types that
// they are given here, by the definitions right above: commander itself does not know them.

/** All commands of hawser. */
export function buildProgram(run: Runner, { stdout, stderr }: Streams): Command {
  // Commands made from here on take over how errors are handled.
  const program = new Command('hawser')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text),
      writeErr: (text) => void stderr.write(text),
      outputError,
    })
    .description('Joins machines at the edge to a Kubernetes cluster, and looks after them.')
    .version(VERSION, '-V, --version', 'print the release of this command')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help of a command')
    .configureHelp({ sortSubcommands: false });
  addInit(program, run);
  addTokenCommands(program, run);
  addNodeCommands(program, run);
  addJoin(program, run);
  addReset(program, run);
  addStatus(program, run);
  addPodCommands(program, run);
  addDeviceCommands(program, run);
  addPoolCommands(program, run);
  addObjects(program, run);
  addReconnect(program, run);
  addAcceptCluster(program, run);
  addVersion(program, run);
  addCompletion(program, run);
  return program;
}

/** Commander's own complaints, in our form. */
function outputError(text: string, write: (text: string) => void): void {
  write(`${text.replace(/^error: /, 'hawser: ').trimEnd()}\n  What to do: see --help.\n`);
}

function addInit(program: Command, run: Runner): void {
  const command = kubeOptions(leaf(program, 'init', 'prepare a cluster (in the cloud)'))
    .option('--advertise <names>', 'name or address under which edges dial the hub; may be repeated', several)
    .option('--config <file>', 'configuration of cloudcore to write', `${DEFAULT_CONFIG_DIR}/cloudcore.yaml`)
    .option(
      '--chart-values <file>',
      'write values for the chart instead: cloudcore is to run in the cluster (needs --advertise)',
    )
    .option('--token-ttl <duration>', 'how long the first join token lives', '24h')
    .option('--dry-run', 'look at everything, change nothing, say what would be changed')
    .action((options: InitOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/init.ts')).init(context, options)),
    );
  examples(command, [
    'hawser init --advertise hub.example.org',
    'hawser init --kubeconfig ./admin.conf --advertise 192.0.2.7 --config ./cloudcore.yaml',
    'hawser init --advertise hub.example.org --chart-values ./values.yaml',
    'hawser init --dry-run',
  ]);
}

function addJoin(program: Command, run: Runner): void {
  const command = edgeOptions(leaf(program, 'join', 'make this machine a node (at the edge)'))
    .requiredOption('--cloud <address>', 'address of the hub, HOST:PORT')
    .addOption(
      new Option('--token <token>', 'join token, as `hawser token create` prints it')
        .env('HAWSER_TOKEN')
        .makeOptionMandatory(),
    )
    .option('--name <name>', 'name of the node (default: the name of this machine)')
    .option('--labels <labels>', 'labels of the node, key=value,key=value')
    .option('--pool <name>', 'the pool that the node is to be in; the token has to be for it')
    .option('--runtime <name>', 'what runs pods: cri (default), process, or a package; see docs/runtimes.md')
    .option('--runtime-endpoint <socket>', 'socket of the container runtime, to see that it answers')
    .addOption(
      new Option('--transport <kind>', 'how to connect; webtransport is experimental').choices([
        ...TRANSPORTS,
      ]),
    )
    .option('--rejoin, --replace', 'take the place of the identity that this machine has')
    .option('--no-start', 'do not start edgecore; it is started where it is a service of systemd')
    .option('--skip-checks <names>', 'checks to pass over, with commas between')
    .option('--dry-run', 'make all checks, change nothing, show what would be written')
    .action((options: JoinCommandOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/join.ts')).join(context, options)),
    );
  examples(command, [
    'hawser join --cloud hub.example.org:10000 --token 5f0c….Q2x…',
    'HAWSER_TOKEN=5f0c….Q2x… hawser join --cloud 192.0.2.7:10000 --name shop-17 --labels zone=north,till=2',
    'hawser join --cloud hub.example.org:10000 --token 5f0c….Q2x… --dry-run',
    'hawser join … --skip-checks swap,cgroups',
    'hawser join … --runtime process --config-dir ~/hawser --data-dir ~/hawser/data --socket ~/hawser/edgecore.sock',
  ]);
}

function addReset(program: Command, run: Runner): void {
  const command = edgeOptions(leaf(program, 'reset', 'make this machine be no node any more (at the edge)'))
    .option('-y, --yes', 'do not ask')
    .option('--keep-data', 'keep the store; only identity and configuration go')
    .action((options: ResetOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/reset.ts')).reset(context, options)),
    );
  examples(command, ['hawser reset', 'hawser reset --yes --keep-data']);
}

function addStatus(program: Command, run: Runner): void {
  const command = edgeOptions(leaf(program, 'status', 'how this node is (at the edge; needs no cloud)'))
    .option('-w, --watch', 'look again every 2 s, until Ctrl-C')
    .action((options: StatusOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/status.ts')).status(context, options)),
    );
  examples(command, ['hawser status', 'hawser status --watch', 'hawser status --output json | jq .findings']);
  command.addHelpText('after', '\nExit code: 0 healthy; 3 there is a problem, or edgecore does not run.');
}

function addObjects(program: Command, run: Runner): void {
  const command = edgeOptions(leaf(program, 'objects', 'what of the cluster this node has (at the edge)'))
    .argument('[key]', 'resource/namespace/name of an object, or a resource')
    .action((key: string | undefined, options: EdgeOptions & CommonOptions) =>
      run(options, async (context) => {
        const { objects } = await import('./commands/objects.ts');
        return await objects(context, { ...options, ...(key !== undefined && { key }) });
      }),
    );
  examples(command, ['hawser objects', 'hawser objects pods', 'hawser objects configmaps/default/settings']);
}

function addReconnect(program: Command, run: Runner): void {
  const command = edgeOptions(leaf(program, 'reconnect', 'connect to the hub anew, at once (at the edge)'));
  command.action((options: EdgeOptions & CommonOptions) =>
    run(options, async (context) => (await import('./commands/reconnect.ts')).reconnect(context, options)),
  );
  examples(command, ['hawser reconnect']);
}

function addAcceptCluster(program: Command, run: Runner): void {
  const description =
    'obey a cluster that was replaced or restored (at the edge, or with --kubeconfig for all nodes)';
  const command = kubeOptions(edgeOptions(leaf(program, 'accept-cluster', description)))
    .option('-y, --yes', 'do not ask')
    .action((options: AcceptClusterOptions & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/accept-cluster.ts')).acceptCluster(context, options);
      }),
    );
  examples(command, ['hawser accept-cluster', 'hawser accept-cluster --kubeconfig ./admin.conf --yes']);
}

function addVersion(program: Command, run: Runner): void {
  const command = kubeOptions(edgeOptions(leaf(program, 'version', 'which releases are at work')))
    .option('--client', 'only this command')
    .action((options: VersionOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/version.ts')).version(context, options)),
    );
  examples(command, ['hawser version', 'hawser version --kubeconfig ./admin.conf --output json']);
}

function addCompletion(program: Command, run: Runner): void {
  const command = leaf(program, 'completion', 'completion of this command for a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(SHELLS))
    .action((shell: Shell, options: CommonOptions) =>
      run(options, async (context) => {
        const { completionScript } = await import('./commands/completion.ts');
        const script = completionScript(program, shell);
        context.result({ shell, script }, script.trimEnd());
        return undefined;
      }),
    );
  examples(command, ['source <(hawser completion bash)', 'hawser completion fish | source']);
}
