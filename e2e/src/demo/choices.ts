import { parseArgs } from 'node:util';
import { EDGE_OPTIONS } from '@hawser/edgecore';
import { loadKubeConfig } from '@hawser/kube/kubeconfig';

/** How edges connect, as the configuration of an edge has it. */
export type TransportChoice = (typeof TRANSPORTS)[number];
/** What runs pods, as the configuration of an edge has it. */
export type RuntimeChoice = (typeof RUNTIMES)[number];

const TRANSPORTS = EDGE_OPTIONS.hub.transport.choices;
/** Those that come with the edge core; others are packages. */
const RUNTIMES = ['cri', 'process', 'null'] as const;
const MOST_NODES = 20;

/** What somebody has chosen for the demonstration. */
export interface Choices {
  readonly help: boolean;
  /** Edges, all of them in the pool. */
  readonly nodes: number;
  /** Undefined: the second edge over QUIC where that can be, the others over WebSocket. */
  readonly transport: TransportChoice | undefined;
  /** Undefined: the best one that can be had here. */
  readonly runtime: RuntimeChoice | undefined;
  /** Of a cluster that is there. Undefined: the embedded control plane. */
  readonly kubeconfig: string | undefined;
  /** Whether it goes on after the demonstration. */
  readonly keep: boolean;
  /** Whether the whole terminal is used. */
  readonly view: boolean;
}

export const HELP = `npm start [-- OPTIONS]   shows Hawser at work

A control plane, a hub and edges run on this machine, each a process of its own,
with a line to the hub for each edge that this program can cut. The edges are a
pool; the first one runs the pods, and has a Modbus device with its mapper.

A node joins with a token and runs a Deployment's pods; a ConfigMap changes
inside of them; a value of the device goes up, and one comes down; the line is
cut and a container killed, which comes back; the node loses its power and
starts its pods from its disk, without a cloud; the pool's leader is killed, and
another one leads; an edge is revoked, and joins again; the hub is killed.
Everything shown is measured.

  --nodes N          edges, all in one pool: 1 to ${MOST_NODES}. Default 3
  --transport WAY    how edges connect: ${TRANSPORTS.join(', ')}.
                     Default: the second one over QUIC, the others by WebSocket
  --runtime RUNTIME  what runs pods: ${RUNTIMES.join(', ')}. Default: cri where it
                     can be had (root, containerd), else process: processes of
                     this machine. null says that pods run, and runs none
  --kubeconfig FILE  a cluster that is there, instead of the embedded control
                     plane. What hawser init makes is made there, and the
                     namespace hawser-demo; all of it is removed at the end
  --once             end after the demonstration (default without a terminal)
  --keep             go on until Ctrl-C (default at a terminal)
  --no-view          plain lines, no view (default without a terminal)
  --help             this text
`;

/**
 * Reads the command line.
 * @param terminal whether somebody is at both ends
 * @throws Error that names the choice, and what is allowed
 */
export function parseChoices(args: readonly string[], terminal: boolean): Choices {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '3' },
      transport: { type: 'string' },
      runtime: { type: 'string' },
      kubeconfig: { type: 'string' },
      once: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      'no-view': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.once && values.keep) throw new Error('--once and --keep contradict each other: choose one');
  if (values.kubeconfig === '') throw new Error('--kubeconfig is the path of a file, and was empty');
  return {
    help: values.help,
    nodes: numberOf('--nodes', values.nodes, MOST_NODES),
    transport: oneOf('--transport', values.transport, TRANSPORTS),
    runtime: oneOf('--runtime', values.runtime, RUNTIMES),
    kubeconfig: values.kubeconfig,
    keep: values.keep || (!values.once && terminal),
    view: terminal && !values['no-view'],
  };
}

/** Reads the chosen kubeconfig before anything is started. @throws Error that names the file, and what is wrong */
export function checkKubeconfig({ kubeconfig }: Choices): void {
  if (kubeconfig === undefined) return;
  try {
    loadKubeConfig({ path: kubeconfig });
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    throw new Error(`--kubeconfig ${kubeconfig}: ${message}${why}`, { cause: error });
  }
}

function oneOf<T extends string>(
  name: string,
  value: string | undefined,
  allowed: readonly T[],
): T | undefined {
  const found = allowed.find((each) => each === value);
  if (value !== undefined && found === undefined)
    throw new Error(`${name} is one of ${allowed.join(', ')}, and not ${JSON.stringify(value)}`);
  return found;
}

function numberOf(name: string, value: string, most: number): number {
  const number = /^\d{1,3}$/.test(value) ? Number(value) : 0;
  if (number < 1 || number > most)
    throw new Error(`${name} is a number from 1 to ${most}, and not ${JSON.stringify(value)}`);
  return number;
}
