import { Command, CommanderError } from 'commander';
import { MapperError } from '../errors.ts';
import { newMapper } from './new-mapper.ts';
import { standIn, type StandInOptions } from './stand-in.ts';

const EXIT = { ok: 0, failed: 1, misuse: 2 } as const;

/** The command `hawser-mapper-sdk`, for those who write mappers. @returns the exit code */
export async function sdkProgram(args: readonly string[]): Promise<number> {
  const program = new Command('hawser-mapper-sdk')
    .description('Helps to write a mapper for Hawser: see docs/write-a-mapper.md.')
    .exitOverride()
    .addHelpText('after', '\nExit codes: 0 done; 1 failed; 2 the command line is wrong.');

  program
    .command('new')
    .description('makes a package for a driver, with a device to try it')
    .argument('<name>', 'of the protocol: lower case letters, digits and "-"')
    .option('--dir <dir>', 'folder to make it in; default: hawser-mapper-<name>')
    .option('--from <dir>', "takes packages from a built clone of Hawser's repository, not from the registry")
    .addHelpText('after', '\nExample: hawser-mapper-sdk new boiler --dir boiler')
    .action(async (name: string, options: { dir?: string; from?: string }) => {
      const dir = options.dir ?? `hawser-mapper-${name}`;
      const files = await newMapper({ name, dir, from: options.from });
      process.stdout.write(
        `${dir}:\n${files.map((file) => `  ${file}\n`).join('')}Next: cd ${dir} && npm install && npm test\n`,
      );
    });

  program
    .command('try')
    .description('stands in for the edge core on a broker: gives a mapper devices, and prints what it says')
    .argument('<manifest>', 'YAML with Device and DeviceModel objects')
    .requiredOption('--bus <url>', 'broker that takes clients without a password: mqtt://127.0.0.1:1883')
    .option('--set <property=value...>', 'what shall be, beside what the manifest says; of all devices')
    .option('--seconds <n>', 'ends after so long', '10')
    .addHelpText(
      'after',
      '\nExample: hawser-mapper-sdk try device.yaml --bus mqtt://127.0.0.1:1883 --set target=55',
    )
    .action(async (manifest: string, options: { bus: string; set?: string[]; seconds: string }) => {
      await standIn(readStandIn(manifest, options));
    });

  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.misuse;
    if (!(error instanceof MapperError)) throw error;
    process.stderr.write(`hawser-mapper-sdk: ${error.message}\n`);
    return error.code === 'ERR_MAPPER_COMMAND_LINE' ? EXIT.misuse : EXIT.failed;
  }
}

function readStandIn(
  manifest: string,
  { bus, set = [], seconds }: { bus: string; set?: string[]; seconds: string },
): StandInOptions {
  const values = set.map((assignment): [string, string] => {
    const at = assignment.indexOf('=');
    if (at < 1) {
      throw new MapperError('ERR_MAPPER_COMMAND_LINE', `--set ${assignment}: it has to be property=value`);
    }
    return [assignment.slice(0, at), assignment.slice(at + 1)];
  });
  const forMs = Number(seconds) * 1000;
  if (!(forMs > 0 && forMs < 2 ** 31)) {
    throw new MapperError('ERR_MAPPER_COMMAND_LINE', `--seconds ${seconds}: it has to be a number above 0`);
  }
  return { manifest, url: bus, set: Object.fromEntries(values), forMs };
}
