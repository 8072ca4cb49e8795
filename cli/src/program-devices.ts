import type { Command } from 'commander';
import type { CommonOptions } from './command-context.ts';
import type { DeviceGetOptions, DeviceOptions, DeviceSetOptions } from './commands/device.ts';
import type { DevicesOptions } from './commands/devices.ts';
import type { EdgeOptions } from './edge/edge-place.ts';
import { edgeOptions, examples, leaf, number, type Runner } from './program-parts.ts';

/** Commands about the devices of this node; none of them needs a cloud. */
export function addDeviceCommands(program: Command, run: Runner): void {
  addDevices(program, run);
  const device = program.command('device').description('one device of this node (at the edge)');
  addGet(device, run);
  addSet(device, run);
  addWatch(device, run);
  addMappers(program, run);
}

function deviceOptions(command: Command): Command {
  return edgeOptions(command).option('-n, --namespace <name>', 'namespace of the device', 'default');
}

function addDevices(program: Command, run: Runner): void {
  const command = deviceOptions(leaf(program, 'devices', 'the devices of this node (at the edge)'))
    .option('-A, --all-namespaces', 'of all namespaces')
    .action((options: DevicesOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/devices.ts')).devices(context, options)),
    );
  examples(command, ['hawser devices', 'hawser devices -A -o json | jq .items[].state']);
}

function addGet(device: Command, run: Runner): void {
  const command = deviceOptions(leaf(device, 'get', 'a device with its values, or one of them alone'))
    .argument('<device>', 'name of the device')
    .argument('[property]', 'only the value of this one')
    .option('--fresh', 'have its mapper read now, instead of what was reported last')
    .action((name: string, property: string | undefined, options: DeviceGetOptions & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/device.ts')).deviceGet(context, name, property, options);
      }),
    );
  examples(command, [
    'hawser device get pump-1',
    'hawser device get pump-1 speed',
    'hawser device get pump-1 speed --fresh',
  ]);
}

function addSet(device: Command, run: Runner): void {
  const command = deviceOptions(leaf(device, 'set', 'set values of a device, with or without a cloud'))
    .argument('<device>', 'name of the device')
    .argument('<property=value...>', 'what to set; all of it or nothing')
    .option('--wait <seconds>', 'how long to wait for what the mapper says; 0: not at all', number, 10)
    .action((name: string, settings: string[], options: DeviceSetOptions & CommonOptions) =>
      run(options, async (context) => {
        return (await import('./commands/device.ts')).deviceSet(context, name, settings, options);
      }),
    );
  examples(command, [
    'hawser device set pump-1 speed=1200',
    'hawser device set pump-1 speed=1200 mode=auto --wait 0',
  ]);
  command.addHelpText(
    'after',
    '\nExit code: 3 where the device did not take a value, or nobody said so in time.',
  );
}

function addWatch(device: Command, run: Runner): void {
  const command = deviceOptions(leaf(device, 'watch', 'a device, again whenever it changes'))
    .argument('<device>', 'name of the device')
    .action((name: string, options: DeviceOptions & CommonOptions) =>
      run(options, async (context) =>
        (await import('./commands/device.ts')).deviceWatch(context, name, options),
      ),
    );
  examples(command, ['hawser device watch pump-1']);
}

function addMappers(program: Command, run: Runner): void {
  const command = edgeOptions(leaf(program, 'mappers', 'the mappers of this node (at the edge)')).action(
    (options: EdgeOptions & CommonOptions) =>
      run(options, async (context) => (await import('./commands/mappers.ts')).mappers(context, options)),
  );
  examples(command, ['hawser mappers']);
}
