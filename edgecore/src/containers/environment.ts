import type { ApiServerAddress } from '../local-api/api-for-pods.ts';
import { ContainerError } from '../pods/container-error.ts';
import type { EnvFromSource, EnvVar, KeySelector, Pod, PodContainer, Quantities } from '../pods/pod.ts';
import type { ConfigData, ConfigObjects } from './config-objects.ts';
import { expandVariables } from './expansion.ts';
import { FieldError, podField, type PodAddresses } from './pod-fields.ts';
import { resourceField } from './resource-fields.ts';

/** What an environment is made from. */
export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly objects: ConfigObjects;
  readonly addresses: PodAddresses;
  /** What the node has for pods: the limit of containers that have none. */
  readonly allocatable: Quantities;
  /** Where the container is told that an API server is; absent: it is not told. */
  readonly apiServer?: ApiServerAddress | undefined;
  /** Is told what has been left out, as an event of the pod. */
  readonly onSkipped: (reason: string, message: string) => void;
}

/** What a process may have as name: printable ASCII but `=`. Source: KEP-4369, as kubelets since 1.32 have it. */
const NAME = /^[\x20-\x3c\x3e-\x7e]+$/;

/**
 * The environment of a container. First everything of `envFrom`, later sources over earlier ones; then `env` in its
 * order, over that. References in a value of `env` are to what comes before it; values from elsewhere are not expanded.
 * Service variables (`enableServiceLinks`) are not among it, but for where the API server is: that is below all of it.
 *
 * @throws ContainerError `CreateContainerConfigError`: an object or a key is missing and not optional, a field cannot be
 *   shown, a value cannot be in an environment
 * Source: kubelet, kubelet_pods.go makeEnvironmentVariables.
 */
export async function containerEnvironment(input: EnvironmentInput): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>(apiServerVariables(input.apiServer));
  for (const source of input.container.envFrom ?? []) await addAll(input, source, values);
  for (const variable of input.container.env ?? []) {
    const value = await valueOf(input, variable, values);
    if (value !== undefined) values.set(variable.name, checked(variable.name, value));
  }
  return values;
}

/** By which clients of Kubernetes find the API server. Source: kubelet, envvars.go FromServices. */
function apiServerVariables(server: ApiServerAddress | undefined): readonly (readonly [string, string])[] {
  if (server === undefined) return [];
  const port = String(server.port);
  return [
    ['KUBERNETES_SERVICE_HOST', server.host],
    ['KUBERNETES_SERVICE_PORT', port],
    ['KUBERNETES_SERVICE_PORT_HTTPS', port],
  ];
}

async function addAll(
  input: EnvironmentInput,
  source: EnvFromSource,
  values: Map<string, string>,
): Promise<void> {
  const { configMapRef, secretRef, prefix = '' } = source;
  const found =
    configMapRef !== undefined
      ? await configMapOf(input, configMapRef)
      : secretRef !== undefined && (await secretOf(input, secretRef));
  if (found === false || found === undefined) return;
  const invalid: string[] = [];
  for (const [key, value] of found) {
    const name = `${prefix}${key}`;
    if (NAME.test(name)) values.set(name, checked(name, value));
    else invalid.push(name);
  }
  if (invalid.length === 0) return;
  const kind = configMapRef === undefined ? 'secret' : 'configMap';
  const at = `${input.pod.metadata.namespace}/${(configMapRef ?? secretRef)?.name ?? ''}`;
  const keys = invalid.toSorted().join(', ');
  input.onSkipped(
    'InvalidEnvironmentVariableNames',
    `Keys [${keys}] from the EnvFrom ${kind} ${at} were skipped since they are considered invalid environment variable names.`,
  );
}

/** undefined: the variable is left out, because it is optional and there is nothing. */
async function valueOf(
  input: EnvironmentInput,
  { value = '', valueFrom }: EnvVar,
  before: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (value !== '' || valueFrom === undefined) return expandVariables(value, before);
  const { pod, container, addresses, allocatable } = input;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) return shown(() => podField(pod, fieldRef, addresses));
  if (resourceFieldRef !== undefined) {
    return shown(() => resourceField(pod, resourceFieldRef, allocatable, container));
  }
  if (configMapKeyRef !== undefined) {
    return keyOf(input, 'ConfigMap', configMapKeyRef, await configMapOf(input, configMapKeyRef));
  }
  if (secretKeyRef !== undefined) {
    return keyOf(input, 'Secret', secretKeyRef, await secretOf(input, secretKeyRef));
  }
  return '';
}

function shown(read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
    throw configError(error.message, error);
  }
}

interface Reference {
  readonly name?: string;
  readonly optional?: boolean;
}

async function configMapOf(
  input: EnvironmentInput,
  { name = '', optional }: Reference,
): Promise<ConfigData | undefined> {
  const found = await input.objects.configMap(name);
  if (found === undefined && optional !== true) throw configError(`configmap "${name}" not found`);
  return found;
}

async function secretOf(
  input: EnvironmentInput,
  { name = '', optional }: Reference,
): Promise<ConfigData | undefined> {
  const found = await input.objects.secret(name);
  if (found === undefined && optional !== true) throw configError(`secret "${name}" not found`);
  return found;
}

function keyOf(
  { pod }: EnvironmentInput,
  kind: 'ConfigMap' | 'Secret',
  { name = '', key, optional }: KeySelector,
  data: ConfigData | undefined,
): string | undefined {
  if (data === undefined) return undefined; // optional, or it would have been an error
  if (data.has(key)) return checked(key, data.get(key));
  if (optional === true) return undefined;
  throw configError(`couldn't find key ${key} in ${kind} ${pod.metadata.namespace}/${name}`);
}

/** A runtime would refuse the container without a word that says which variable it was. */
function checked(name: string, value: string | undefined): string {
  if (value === undefined)
    throw configError(`the value of ${name} is no UTF-8 text: an environment cannot have it`);
  if (value.includes('\0'))
    throw configError(`the value of ${name} has a NUL: an environment cannot have it`);
  return value;
}

function configError(message: string, cause?: unknown): ContainerError {
  return new ContainerError('CreateContainerConfigError', message, { cause });
}
