import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { MapperError, messageOf } from '../errors.ts';
import { LOG_LEVELS, type LogLevel } from './stream-logger.ts';

/** What the program was asked to do. */
export type MapperCommandLine =
  | { readonly do: 'help' | 'version' | 'schemas' }
  | { readonly do: 'check'; readonly file: string }
  | {
      readonly do: 'run';
      readonly url: string;
      readonly name: string;
      readonly secret: string | undefined;
      readonly logLevel: LogLevel;
      /** `host:port`; undefined: nobody is told. */
      readonly metricsListen: { readonly host: string; readonly port: number } | undefined;
    };

const DEFAULT_URL = 'mqtt://127.0.0.1:1883';
const SCHEMES = ['mqtt:', 'mqtts:', 'ws:', 'wss:'];

/** What `--help` prints. @param program as it was started: `hawser-mapper-modbus` */
export function usage(program: string, protocol: string): string {
  return `Usage: ${program} [options]

Serves the devices of this node whose protocol is "${protocol}": reads and writes them, and tells the edge core
over its event bus.

  --bus URL              Event bus. Default ${DEFAULT_URL}; else HAWSER_BUS_URL.
  --name NAME            Name of this mapper, as its definition in /etc/hawser/mappers.d has it.
                         Default ${protocol}; else HAWSER_MAPPER_NAME.
  --secret-file FILE     Its secret: one line. Else HAWSER_MAPPER_SECRET.
  --log-level LEVEL      ${LOG_LEVELS.join(', ')}. Default info; else HAWSER_MAPPER_LOG_LEVEL.
  --metrics-listen ADDR  Serves Prometheus metrics at http://ADDR/metrics: 127.0.0.1:9464, :9464.
  --check FILE           Checks Device and DeviceModel objects in a YAML file, without a bus, and ends.
  --schemas              Prints a ConfigMap with the schemas of this mapper, for the cloud, and ends.
  --version              Prints the release.
  --help                 Prints this.

Examples:
  ${program} --name ${protocol} --secret-file /var/lib/hawser/mappers/${protocol}.secret
  ${program} --check device.yaml
  ${program} --schemas | kubectl apply -f -

Exit codes: 0 ended as asked, or nothing wrong in FILE; 1 failed, or something is wrong in FILE; 2 the command line is
wrong.
`;
}

/**
 * Reads the command line. What the line does not say the environment does; the secret is taken out of it, so that programs
 * that the mapper starts do not have it.
 * @throws MapperError `ERR_MAPPER_COMMAND_LINE`
 */
export function parseCommandLine(
  args: readonly string[],
  env: Record<string, string | undefined>,
  protocol: string,
): MapperCommandLine {
  const { HAWSER_MAPPER_SECRET: secretInEnv } = env;
  delete env['HAWSER_MAPPER_SECRET'];
  const values = read(args);
  if (values.help === true) return { do: 'help' };
  if (values.version === true) return { do: 'version' };
  if (values.schemas === true) return { do: 'schemas' };
  if (values.check !== undefined) return { do: 'check', file: values.check };
  const secretFile = values['secret-file'];
  return {
    do: 'run',
    url: busUrl(values.bus ?? env['HAWSER_BUS_URL'] ?? DEFAULT_URL),
    name: values.name ?? env['HAWSER_MAPPER_NAME'] ?? protocol,
    secret: secretFile === undefined ? secretInEnv : secretIn(secretFile),
    logLevel: logLevel(values['log-level'] ?? env['HAWSER_MAPPER_LOG_LEVEL'] ?? 'info'),
    metricsListen: values['metrics-listen'] === undefined ? undefined : address(values['metrics-listen']),
  };
}

function read(args: readonly string[]) {
  const string = { type: 'string' } as const;
  const boolean = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: false,
      options: {
        bus: string,
        name: string,
        'secret-file': string,
        'log-level': string,
        'metrics-listen': string,
        check: string,
        schemas: boolean,
        version: boolean,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw wrong(messageOf(cause), cause);
  }
}

function busUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && SCHEMES.includes(url.protocol) && url.hostname !== '') return text;
  throw wrong(`--bus ${text}: it has to be an address as ${DEFAULT_URL}`);
}

function logLevel(text: string): LogLevel {
  const found = LOG_LEVELS.find((level) => level === text);
  if (found === undefined) throw wrong(`--log-level ${text}: it has to be one of ${LOG_LEVELS.join(', ')}`);
  return found;
}

function secretIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw wrong(`--secret-file ${file}: ${messageOf(cause)}`, cause);
  }
  if (text === '' || text.includes('\n')) throw wrong(`--secret-file ${file}: it has to be one line`);
  return text;
}

function address(text: string): { readonly host: string; readonly port: number } {
  const { host = '', port = '' } = /^(?:(?<host>.*):)?(?<port>\d{1,5})$/.exec(text)?.groups ?? {};
  if (port === '' || Number(port) > 65_535) {
    throw wrong(`--metrics-listen ${text}: it has to be an address as 127.0.0.1:9464`);
  }
  return { host: host === '' ? '0.0.0.0' : host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function wrong(message: string, cause?: unknown): MapperError {
  return new MapperError('ERR_MAPPER_COMMAND_LINE', message, { cause });
}
