import { parseArgs } from 'node:util';
import { CloudCoreError } from './errors.ts';

/** What `--help` prints. */
export const USAGE = `Usage: hawser-cloudcore [--config FILE] [options]

The cloud hub of Hawser: watches a Kubernetes API server, gives each edge node what it needs over the tunnel that the
node opens, and writes what nodes report. Run \`hawser init\` first.

  --config FILE       configuration, YAML (docs/reference/cloudcore-config.md); without it everything is default
  --kubeconfig FILE   overrides the configuration's kubeconfig
  --advertise NAME    another name or address under which edges dial this hub; may be repeated
  --kubelet-advertise NAME
                      address of this replica as API servers reach it; overrides the configuration's kubelet.advertise
  --log-level LEVEL   error, warn, info or debug; overrides the configuration
  --check             check the configuration, and exit
  --version           print the version
  --help              print this

Examples:
  hawser-cloudcore --config /etc/hawser/cloudcore.yaml
  hawser-cloudcore --kubeconfig ~/.kube/config --advertise hub.example.org
`;

/** What the command is asked to do. */
export type Command = { readonly do: 'help' | 'version' } | ConfiguredCommand;

/** A command that needs the configuration. */
export interface ConfiguredCommand {
  readonly do: 'run' | 'check';
  readonly config: string | undefined;
  /** What the options of the command put in place of the configuration's. */
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly advertise: readonly string[];
  /** In place of the configuration's `kubelet.advertise`. */
  readonly kubelet: string | undefined;
}

/** Reads the arguments. @throws CloudCoreError `ERR_CLOUDCORE_CONFIG` */
export function parseCommandLine(args: readonly string[]): Command {
  const values = readArguments(args);
  if (values.help === true) return { do: 'help' };
  if (values.version === true) return { do: 'version' };
  const { config, kubeconfig, advertise = [] } = values;
  return {
    do: values.check === true ? 'check' : 'run',
    config,
    overrides: {
      ...(kubeconfig !== undefined && { kubeconfig }),
      ...(values['log-level'] !== undefined && { logLevel: values['log-level'] }),
    },
    advertise,
    kubelet: values['kubelet-advertise'],
  };
}

interface Values {
  readonly config?: string | undefined;
  readonly kubeconfig?: string | undefined;
  readonly advertise?: readonly string[] | undefined;
  readonly 'kubelet-advertise'?: string | undefined;
  readonly 'log-level'?: string | undefined;
  readonly check?: boolean | undefined;
  readonly version?: boolean | undefined;
  readonly help?: boolean | undefined;
}

function readArguments(args: readonly string[]): Values {
  const string = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        config: string,
        kubeconfig: string,
        advertise: { type: 'string', multiple: true },
        'kubelet-advertise': string,
        'log-level': string,
        check: flag,
        version: flag,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw new CloudCoreError('ERR_CLOUDCORE_CONFIG', (cause as Error).message, { cause });
  }
}
