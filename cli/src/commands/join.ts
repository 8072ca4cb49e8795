import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import {
  DiskPkiFolder,
  joinCluster,
  PKI_DIR,
  tokenPin,
  TrustedClock,
  type JoinResult,
} from '@hawser/edgecore';
import { formatAddress, parseAddress } from '../cloud/address.ts';
import type { CommandContext } from '../command-context.ts';
import { findEdge, type EdgeOptions, type EdgePlace } from '../edge/edge-place.ts';
import {
  isService,
  serviceRuns,
  startCommand,
  startService,
  statusCommand,
  stopCommand,
} from '../edge/edge-service.ts';
import { CliError } from '../errors.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTime } from '../output/times.ts';
import { CHECK_NAMES, type CheckName } from '../join/check.ts';
import { planEdgeConfig, writeEdgeConfig, type PlannedConfig } from '../join/edgecore-config.ts';
import { runningPid } from '../join/local-checks.ts';
import { preflight } from '../join/preflight.ts';
import type { TransportChoice } from '../join/transports.ts';

/** Options of `hawser join`. */
export interface JoinCommandOptions extends EdgeOptions {
  readonly cloud: string;
  readonly token: string;
  readonly name?: string;
  /** `key=value,…` */
  readonly labels?: string;
  readonly pool?: string;
  /** `pods.runtime`. */
  readonly runtime?: string;
  readonly runtimeEndpoint?: string;
  readonly transport?: TransportChoice;
  readonly replace?: boolean;
  readonly dryRun?: boolean;
  /** False: the service is left as it is. */
  readonly start?: boolean;
  readonly skipChecks?: string;
}

/**
 * Makes this machine a node: 1. looks at everything that could fail, and changes nothing until then; 2. gets an
 * identity from the hub; 3. writes the configuration of edgecore; 4. starts it, where it is a service. It can be said
 * again after any failure.
 */
export async function join(
  context: CommandContext,
  options: JoinCommandOptions,
): Promise<ExitCode | undefined> {
  const hub = parseAddress(options.cloud, '--cloud');
  const skip = parseChecks(options.skipChecks);
  const labels = parseLabels(options.labels);
  const pin = tokenPin(options.token);
  const place = await findEdge(options);
  const { replace = false, transport, runtime, runtimeEndpoint } = options;
  const node = options.name ?? hostname().toLowerCase();
  const nodeGiven = options.name !== undefined;
  const checks = await preflight(context, {
    place,
    hub,
    node,
    nodeGiven,
    pin,
    replace,
    runtime,
    runtimeEndpoint,
    skip,
  });
  const settings = {
    ...{ hub, transport, labels, runtime, runtimeEndpoint },
    dataDir: place.dataDir,
    socket: place.socket,
  };
  const config = await inTempDir((dir) => planEdgeConfig(place.configFile, settings, dir));
  if (options.dryRun === true) {
    const text = [`Nothing was changed: this was a dry run. ${describe(config)}:`, '', config.text].join(
      '\n',
    );
    context.result({ dryRun: true, node, checks, config }, text.trimEnd());
    return undefined;
  }
  const folder = new DiskPkiFolder(path.join(place.dataDir, PKI_DIR), context.log);
  const joined = await joinCluster({
    ...{
      hub,
      token: options.token,
      node,
      folder,
      rejoin: replace,
      logger: context.log,
      signal: context.signal,
    },
    ...(options.pool !== undefined && { pool: options.pool }),
  });
  await keepTime(folder, joined, context);
  await writeEdgeConfig(config);
  const changed = !joined.already || config.result !== 'unchanged';
  const started = options.start !== false && (await startIfService(context, place, changed));
  const start = started ? undefined : await startSteps(context, place, changed);
  report(context, joined, config, start, formatAddress(hub.host, hub.port));
  return undefined;
}

/** Starts the service, if edgecore is one here; one that runs is started again where it has something new to read. */
async function startIfService(
  { progress, signal }: CommandContext,
  { configFile }: EdgePlace,
  changed: boolean,
): Promise<boolean> {
  if (!(await isService(configFile))) return false;
  const anew = changed && (await serviceRuns());
  progress(
    `${anew ? 'Restarting' : 'Starting'} edgecore.service, which starts with the machine from now on …`,
  );
  await startService(anew, signal);
  return true;
}

/** What is left to be done: one that runs goes on with the identity and the configuration that it has read. */
async function startSteps(
  { signal }: CommandContext,
  { configFile, socket }: EdgePlace,
  changed: boolean,
): Promise<string> {
  const start = await startCommand(configFile);
  const pid = changed ? await runningPid(socket, signal) : undefined;
  return pid === undefined ? start : `${await stopCommand(pid)}, then ${start}`;
}

/** What the hub says of the time outlasts a restart without a battery-backed clock. */
async function keepTime(
  folder: DiskPkiFolder,
  { hubTimeMs }: JoinResult,
  { log: logger }: CommandContext,
): Promise<void> {
  if (hubTimeMs === undefined) return;
  const time = new TrustedClock({ folder, logger });
  await time.start();
  time.raise(hubTimeMs);
  await time.stop();
}

function report(
  context: CommandContext,
  joined: JoinResult,
  config: PlannedConfig,
  start: string | undefined,
  hub: string,
): void {
  const { node, clusterUid, pool, already, identity } = joined;
  const expires = new Date(identity.newest.certificate.validTo).toISOString();
  const changed = !already || config.result !== 'unchanged';
  const text = [
    already
      ? `This machine was the node ${node} already${changed ? '' : ': nothing was changed'}.`
      : `This machine is the node ${node} now, of the cluster ${clusterUid}${pool === undefined ? '' : `, pool ${pool}`}.`,
    `Its certificate ends ${formatTime(expires)}, and renews itself before that.`,
    `${describe(config)}.`,
    '',
    ...(start === undefined
      ? ['edgecore runs, and starts with the machine.', `See its log:       journalctl --unit edgecore`]
      : [`Start it:          ${start}`]),
    `See how it is:     ${statusCommand(config.file)}`,
  ].join('\n');
  context.result(
    {
      ...{ node, clusterUid, already, changed, certificateExpires: expires, hub },
      ...{ started: start === undefined, ...(start !== undefined && { start }) },
      ...(pool !== undefined && { pool }),
      config: { file: config.file, result: config.result },
    },
    text,
  );
}

function describe({ file, result }: PlannedConfig): string {
  const words = { created: 'is new', updated: 'has been changed', unchanged: 'says so already' } as const;
  return `The configuration ${file} ${words[result]}`;
}

/** @throws CliError `ERR_CLI_USAGE` */
function parseChecks(text = ''): readonly CheckName[] {
  return text
    .split(',')
    .filter((name) => name !== '')
    .map((name) => {
      const known = CHECK_NAMES.find((check) => check === name);
      if (known !== undefined) return known;
      const message = `--skip-checks: there is no check ${JSON.stringify(name)}; there are ${CHECK_NAMES.join(', ')}`;
      throw new CliError('ERR_CLI_USAGE', message);
    });
}

/** @throws CliError `ERR_CLI_USAGE` */
function parseLabels(text = ''): Readonly<Record<string, string>> {
  const pairs = text
    .split(',')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [, key, value] = /^([^=]+)=([^=]*)$/.exec(pair) ?? [];
      if (key !== undefined && value !== undefined) return [key, value] as const;
      const message = `--labels: ${JSON.stringify(pair)} is no label: write them as key=value,key=value`;
      throw new CliError('ERR_CLI_USAGE', message);
    });
  return Object.fromEntries(pairs);
}

async function inTempDir<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(path.join(tmpdir(), 'hawser-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
