import path from 'node:path';
import {
  ensureAuthority,
  ensureClusterRecord,
  HAWSER_NAMESPACE,
  JoinTokens,
  NODE_LEASE_NAMESPACE,
  OBJECTS,
  readClusterRecord,
} from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import { checkNames, formatAddress } from '../cloud/address.ts';
import { checkApiServer, checkRights, type Right } from '../cloud/api-server.ts';
import { planChartValues } from '../cloud/chart-values.ts';
import { applyObject, describeObject, MANAGED_BY, unlessMissing, type Applied } from '../cloud/apply.ts';
import { planConfig, prepareFolder, writeConfig } from '../cloud/cloudcore-config.ts';
import { hubAddressObject, joinCommand, readHubNames } from '../cloud/hub-address.ts';
import { hasAuthority } from '../cloud/installed.ts';
import { kubeconfigFile, withCluster, type KubeOptions } from '../cloud/kube-access.ts';
import { readManifests } from '../cloud/manifests.ts';
import type { CommandContext } from '../command-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { parseDuration } from '../output/times.ts';

/** Options of `hawser init`. */
export interface InitOptions extends KubeOptions {
  /** Names and addresses under which edges dial the hub. Default: those of this machine. */
  readonly advertise?: readonly string[];
  readonly config: string;
  /** A file with values for the chart is written in the place of a configuration: cloudcore is to run in the cluster. */
  readonly chartValues?: string;
  readonly tokenTtl: string;
  readonly dryRun?: boolean;
}

/** What became of one thing. */
interface Step {
  readonly what: string;
  readonly result: Applied;
}

const NEEDED: readonly Right[] = [
  ...['get', 'create', 'update'].flatMap((verb) => [
    { verb, group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions', namespace: '' },
    { verb, group: 'rbac.authorization.k8s.io', resource: 'clusterroles', namespace: '' },
    { verb, group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings', namespace: '' },
    ...[HAWSER_NAMESPACE, NODE_LEASE_NAMESPACE].flatMap((namespace) => [
      { verb, group: 'rbac.authorization.k8s.io', resource: 'roles', namespace },
      { verb, group: 'rbac.authorization.k8s.io', resource: 'rolebindings', namespace },
    ]),
    { verb, group: '', resource: 'serviceaccounts', namespace: HAWSER_NAMESPACE },
    { verb, group: '', resource: 'configmaps', namespace: HAWSER_NAMESPACE },
  ]),
  ...['get', 'create'].flatMap((verb) => [
    { verb, group: '', resource: 'namespaces', namespace: '' },
    { verb, group: '', resource: 'secrets', namespace: HAWSER_NAMESPACE },
  ]),
];

/**
 * Prepares a cluster: looks at the API server and at the user's rights, then makes what is missing, in the order
 * namespace, authority, definitions, rights, schemas of mappers, incarnation, configuration of cloudcore. What is there and right is not
 * touched. Ends with a join command where something was made.
 */
export async function init(context: CommandContext, options: InitOptions): Promise<ExitCode | undefined> {
  const { dryRun = false, tokenTtl } = options;
  // What is told is for another shell, or another day: it holds from anywhere.
  const config = path.resolve(options.chartValues ?? options.config);
  const ttlMs = parseDuration(tokenTtl, '--token-ttl');
  checkNames(options.advertise ?? [], '--advertise');
  const kubeconfig = await kubeconfigFile(options.kubeconfig, context.env);
  await withCluster(context, options, async (client) => {
    const { version } = await checkApiServer(client, context.signal);
    await checkRights(client, NEEDED, context.signal);
    context.progress(
      `The API server is Kubernetes ${version}, and this user has the rights that are needed.`,
    );
    const known = options.advertise ?? (await readHubNames(client, context.signal))?.advertise;
    const plan =
      options.chartValues === undefined
        ? await planConfig(config, { kubeconfig, context: options.context, advertise: known })
        : await planChartValues(config, known);
    if (plan.text !== undefined && !dryRun) await prepareFolder(config);
    const names = known ?? plan.advertise;
    const steps = await makeAll(context, client, hubAddressObject(names, plan.port), dryRun);
    if (plan.text !== undefined && !dryRun) await writeConfig(config, plan.text);
    const file = options.chartValues === undefined ? 'configuration' : 'values for the chart';
    steps.push({ what: `${file} ${config}`, result: plan.result });
    report(context, steps.slice(-1), dryRun);
    const address = formatAddress(names[0] ?? 'HUB', plan.port);
    const guessed = known === undefined && plan.text !== undefined;
    const made = steps.filter(({ result }) => result === 'created' || result === 'updated');
    const join = made.length > 0 && !dryRun ? joinCommand(address, await newToken(client, ttlMs)) : undefined;
    const warnings = [...plan.warnings, ...(guessed && join !== undefined ? [guess(names)] : [])];
    for (const warning of warnings) context.progress(`${context.colours.doubtful('!')} ${warning}`);
    const value = {
      version,
      dryRun,
      changed: made.length > 0,
      steps,
      warnings,
      ...(join !== undefined && { join }),
    };
    context.result(value, summary(made.length, join, { ...options, config }));
  });
  return undefined;
}

async function makeAll(
  context: CommandContext,
  client: ApiClient,
  hub: KubeObject,
  dryRun: boolean,
): Promise<Step[]> {
  const { signal } = context;
  const steps: Step[] = [];
  const done = (what: string, result: Applied): void => {
    const step = { what, result };
    steps.push(step);
    report(context, [step], dryRun);
  };
  const apply = async (object: KubeObject, keepOthers = false): Promise<void> => {
    done(describeObject(object), await applyObject(client, object, { dryRun, keepOthers, signal }));
  };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HAWSER_NAMESPACE } };
  await apply(namespace);
  const isThere = await hasAuthority(client, signal);
  if (!dryRun) await ensureAuthority(client, { signal });
  done(`authority (Secret ${HAWSER_NAMESPACE}/${OBJECTS.authority})`, isThere ? 'unchanged' : 'created');
  // Definitions of an installation of KubeEdge or OpenYurt have versions and objects that are not ours to drop.
  for (const object of await readManifests('crds')) await apply(object, true);
  for (const object of await readManifests('rbac')) await apply(object);
  for (const object of await readManifests('mapper-schemas')) await apply(object);
  done(
    `incarnation (ConfigMap ${HAWSER_NAMESPACE}/${OBJECTS.cluster})`,
    await incarnation(client, dryRun, signal),
  );
  await apply(hub);
  return steps;
}

async function incarnation(client: ApiClient, dryRun: boolean, signal: AbortSignal): Promise<Applied> {
  const configMaps = new ResourceClient(client, RESOURCES.configmaps);
  const present = await unlessMissing(configMaps.get(HAWSER_NAMESPACE, OBJECTS.cluster, { signal }));
  if (readClusterRecord(present) !== undefined) return 'unchanged';
  if (!dryRun) await ensureClusterRecord({ client });
  return present === undefined ? 'created' : 'updated';
}

async function newToken(client: ApiClient, ttlMs: number): Promise<string> {
  const { pin } = await ensureAuthority(client);
  const { token } = await new JoinTokens({ client, pin }).create({
    ttlMs,
    description: 'made by hawser init',
  });
  return token;
}

const WORDS = { created: 'made', updated: 'changed', unchanged: 'is there', kept: 'kept as it is' } as const;
const PLANNED = { ...WORDS, created: 'would be made', updated: 'would be changed' } as const;

function report({ progress, colours }: CommandContext, steps: readonly Step[], dryRun: boolean): void {
  for (const { what, result } of steps) {
    const mark = result === 'kept' ? colours.doubtful('!') : colours.good('✓');
    const whose =
      result === 'kept' && !/^(configuration|values for the chart) /.test(what)
        ? ` (it has no label ${MANAGED_BY.label}=${MANAGED_BY.value})`
        : '';
    progress(`${mark} ${what}: ${(dryRun ? PLANNED : WORDS)[result]}${whose}`);
  }
}

function guess(names: readonly string[]): string {
  return `nobody said how edges reach the hub: this machine's names are taken (${names.join(', ')}). Say --advertise if it has another one for them`;
}

function summary(
  made: number,
  join: string | undefined,
  { config, chartValues, dryRun, tokenTtl }: InitOptions,
): string {
  if (dryRun === true) return `Nothing was changed: this was a dry run.`;
  if (made === 0) {
    return [
      'Everything was there already: nothing was changed.',
      '',
      'For another node, make a join command with:  hawser token create',
    ].join('\n');
  }
  return [
    '',
    ...(chartValues === undefined
      ? [
          'Start the hub, here or wherever it reaches the API server:',
          '',
          `    hawser-cloudcore --config ${config}`,
        ]
      : [
          'Start the hub in the cluster:',
          '',
          `    helm install hawser packaging/chart/hawser --namespace ${HAWSER_NAMESPACE} --values ${config}`,
        ]),
    '',
    `Then, on a machine that is to be a node, as root (good for ${tokenTtl}, once):`,
    '',
    `    ${join ?? ''}`,
  ].join('\n');
}
