import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ControlPlaneError } from './errors.ts';

/** What `--help` prints. */
export const USAGE = `Usage: hawser-controlplane --data-dir DIR --kubeconfig FILE [options]

Runs a Kubernetes API server with a scheduler and the core controllers, for one machine.

  --data-dir DIR      where the database and the keys are kept; made if it is not there
  --memory            keep everything in memory instead: gone when the program ends
  --kubeconfig FILE   where to write an administrator's kubeconfig (mode 0600)
  --host ADDRESS      address to listen on (default 127.0.0.1; 0.0.0.0 for all)
  --port PORT         port to listen on (default 6443; 0 for any free one)
  --advertise NAME    name or address of this machine in the kubeconfig (default: --host, or 127.0.0.1)
  --san NAME          another name or address for the server's certificate; may be repeated
  --log-level LEVEL   error, warn, info or debug (default info)
  --help              print this
`;

/** Options of the command, checked. */
export interface CommandOptions {
  /** Absent: in memory. */
  readonly dataDir: string | undefined;
  /** Absolute. */
  readonly kubeconfig: string;
  readonly host: string;
  readonly port: number;
  readonly advertise: string | undefined;
  readonly hosts: readonly string[];
  readonly logLevel: 'error' | 'warn' | 'info' | 'debug';
}

const hostName = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$|^[0-9A-Fa-f:.]+$/, 'is no name or address of a machine');

const schema = z.strictObject({
  'data-dir': z.string().min(1, 'must name a folder').optional(),
  memory: z.boolean().default(false),
  kubeconfig: z.string({ error: 'is required' }).min(1, 'must name a file'),
  host: hostName.default('127.0.0.1'),
  port: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a number from 0 to 65535')
    .transform(Number)
    .refine((port) => port <= 65_535, 'must be a number from 0 to 65535')
    .default(6443),
  advertise: hostName.optional(),
  san: z.array(hostName).default([]),
  'log-level': z
    .enum(['error', 'warn', 'info', 'debug'], 'must be error, warn, info or debug')
    .default('info'),
});

/** zod looks at combinations only when every option by itself is right; here all problems are told at once. */
function storeProblems(values: Readonly<Record<string, unknown>>): string[] {
  const isMemory = values['memory'] === true;
  if ((values['data-dir'] === undefined) === isMemory) return [];
  return [isMemory ? '--memory cannot be combined with --data-dir' : '--data-dir or --memory is required'];
}

/**
 * Reads the arguments of the command; 'help' if that is what is asked for.
 * @throws ControlPlaneError `ERR_CONTROLPLANE_CONFIG` naming all problems
 */
export function parseCommandLine(args: readonly string[]): CommandOptions | 'help' {
  const values = readArguments(args);
  if (values['help'] === true) return 'help';
  const result = schema.safeParse(values);
  const problems = [
    ...(result.error?.issues ?? []).map(({ path: at, message }) => `--${String(at[0] ?? '')} ${message}`),
    ...storeProblems(values),
  ];
  if (!result.success || problems.length > 0) {
    throw new ControlPlaneError('ERR_CONTROLPLANE_CONFIG', problems.join('; '));
  }
  const { data } = result;
  return {
    dataDir: data['data-dir'] === undefined ? undefined : path.resolve(data['data-dir']),
    kubeconfig: path.resolve(data.kubeconfig),
    host: data.host,
    port: data.port,
    advertise: data.advertise,
    hosts: data.san,
    logLevel: data['log-level'],
  };
}

function readArguments(args: readonly string[]): Readonly<Record<string, unknown>> {
  const string = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        'data-dir': string,
        memory: { type: 'boolean' },
        kubeconfig: string,
        host: string,
        port: string,
        advertise: string,
        san: { type: 'string', multiple: true },
        'log-level': string,
        help: { type: 'boolean', short: 'h' },
      },
    });
    return { ...values };
  } catch (cause) {
    throw new ControlPlaneError('ERR_CONTROLPLANE_CONFIG', (cause as Error).message, { cause });
  }
}
