import type { ContentKey } from '@hawser/sync';
import { podField } from '../containers/pod-fields.ts';
import { resourceField } from '../containers/resource-fields.ts';
import type { ApiForPods } from '../local-api/api-for-pods.ts';
import type { ApiObject, ObjectSource } from '../objects/object-source.ts';
import type { Pod, Quantities } from '../pods/pod.ts';
import type { DownwardApiSource, KeyToPath, PodVolume, ProjectedSource } from '../pods/volume-source.ts';
import type { TokenManager } from '../tokens/token-manager.ts';
import type { Payload, VolumeFile } from './atomic-writer.ts';
import { aggregate, messageOf, VolumeError } from './volume-error.ts';

/** Where the contents of volumes come from. */
export interface PayloadSources {
  readonly objects: ObjectSource;
  readonly tokens: Pick<TokenManager, 'get'>;
  /** Of the node, as in its status. */
  readonly allocatable: () => Quantities;
  /** Whom a pod may trust beside the cluster's authority. Default: nobody. */
  readonly apiForPods?: Pick<ApiForPods, 'authority'> | undefined;
}

/** A volume whose files are made from objects. */
export type ContentVolume = PodVolume &
  Required<
    | Pick<PodVolume, 'configMap'>
    | Pick<PodVolume, 'secret'>
    | Pick<PodVolume, 'downwardAPI'>
    | Pick<PodVolume, 'projected'>
  >;

const DEFAULT_MODE = 0o644;
const TOKEN_MODE = 0o600;
/** The ConfigMap of each namespace with what pods trust the API server by, and its key. */
const ROOT_CA = 'kube-root-ca.crt';
const CA_KEY = 'ca.crt';
const PROJECTIONS: readonly string[] = ['configMap', 'secret', 'downwardAPI', 'serviceAccountToken'];

/** Sources of a volume, those of a projected one and the only one of another. */
export function projections(volume: PodVolume): readonly ProjectedSource[] {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (projected !== undefined) return projected.sources ?? [];
  if (configMap !== undefined) return [{ configMap }];
  if (secret !== undefined) {
    const { secretName, ...rest } = secret;
    return [{ secret: { ...rest, ...(secretName !== undefined && { name: secretName }) } }];
  }
  return downwardAPI === undefined ? [] : [{ downwardAPI }];
}

/** Keys of the objects that a volume's files are made from. */
export function payloadKeys(pod: Pod, volume: PodVolume): readonly ContentKey[] {
  return projections(volume).flatMap(({ configMap, secret }) => [
    ...(configMap === undefined ? [] : [keyOf(pod, 'configmaps', configMap.name)]),
    ...(secret === undefined ? [] : [keyOf(pod, 'secrets', secret.name)]),
  ]);
}

/** Whether a volume has files that must not come onto a disk. */
export function isSecret(volume: PodVolume): boolean {
  return projections(volume).some(
    ({ secret, serviceAccountToken }) => secret !== undefined || serviceAccountToken !== undefined,
  );
}

/**
 * The files of a volume as they should be now. Where several sources have one path, the last one wins.
 * @throws VolumeError with a kubelet's words: a source or a key is missing and not optional, a field is none
 * Source: kubelet, volume/configmap, secret, downwardapi, projected.
 */
export async function volumePayload(pod: Pod, volume: PodVolume, sources: PayloadSources): Promise<Payload> {
  const { configMap, secret, downwardAPI, projected } = volume;
  const { defaultMode = DEFAULT_MODE } = projected ?? configMap ?? secret ?? downwardAPI ?? {};
  const files = new Map<string, VolumeFile>();
  const errors: VolumeError[] = [];
  for (const source of projections(volume)) {
    try {
      for (const [path, file] of await filesOf(pod, source, defaultMode, sources)) files.set(path, file);
    } catch (error) {
      errors.push(error instanceof VolumeError ? error : new VolumeError(messageOf(error), { cause: error }));
    }
  }
  const failed = aggregate(errors);
  if (failed !== undefined) throw failed;
  return files;
}

async function filesOf(
  pod: Pod,
  source: ProjectedSource,
  mode: number,
  sources: PayloadSources,
): Promise<Payload> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap !== undefined) {
    const object = await objectOf(sources, keyOf(pod, 'configmaps', configMap.name), configMap.optional);
    const missing = 'configmap references non-existent config key';
    const data = object && configMapData(object);
    const trusted =
      configMap.name === ROOT_CA ? withAuthority(data, sources.apiForPods?.authority(pod)) : data;
    return selected(trusted, configMap, mode, missing);
  }
  if (secret !== undefined) {
    const object = await objectOf(sources, keyOf(pod, 'secrets', secret.name), secret.optional);
    return selected(object && secretData(object), secret, mode, 'references non-existent secret key');
  }
  if (downwardAPI !== undefined) return fieldFiles(pod, downwardAPI, mode, sources.allocatable());
  if (serviceAccountToken === undefined) {
    const kind = Object.keys(source).find((name) => !PROJECTIONS.includes(name)) ?? 'nothing';
    throw new VolumeError(`projected volumes of this node have no ${kind}`, { isFinal: true });
  }
  const token = sources.tokens.get(pod.metadata.uid, serviceAccountToken);
  if (token === undefined) {
    const account = pod.spec.serviceAccountName ?? 'default';
    throw new VolumeError(`failed to fetch token: there is none yet of serviceaccount "${account}"`);
  }
  return new Map([[serviceAccountToken.path, tokenFile(pod, token.token, mode)]]);
}

function keyOf({ metadata }: Pod, resource: 'configmaps' | 'secrets', name = ''): ContentKey {
  return `${resource}/${metadata.namespace}/${name}`;
}

/** undefined: there is none, and need not be. */
async function objectOf(
  { objects }: PayloadSources,
  key: ContentKey,
  optional = false,
): Promise<ApiObject | undefined> {
  const object = await objects.get(key);
  if (object !== undefined || optional) return object;
  const [resource, , name = ''] = key.split('/');
  throw new VolumeError(`${resource === 'secrets' ? 'secret' : 'configmap'} "${name}" not found`);
}

/** What of an object's data goes into files: all of it, or what the volume lists. */
function selected(
  data: ReadonlyMap<string, Uint8Array> = new Map(),
  { items = [], optional = false }: { readonly items?: readonly KeyToPath[]; readonly optional?: boolean },
  mode: number,
  missing: string,
): Payload {
  const files = new Map<string, VolumeFile>();
  if (items.length === 0) for (const [key, bytes] of data) files.set(key, { data: bytes, mode });
  for (const { key, path, mode: own = mode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, { data: bytes, mode: own });
    else if (!optional) throw new VolumeError(`${missing}: ${key}`);
  }
  return files;
}

/** The local API of the node has a certificate of its own: a pod that is told of it finds it beside the cluster's. */
function withAuthority(
  data: ReadonlyMap<string, Uint8Array> | undefined,
  pem: string | undefined,
): ReadonlyMap<string, Uint8Array> | undefined {
  const present = data?.get(CA_KEY);
  if (data === undefined || present === undefined || pem === undefined) return data;
  const text = Buffer.from(present).toString('utf8');
  return new Map(data).set(
    CA_KEY,
    Buffer.from(`${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${pem}`),
  );
}

function configMapData(object: ApiObject): ReadonlyMap<string, Uint8Array> {
  return new Map([
    ...texts(object['binaryData']).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const),
    ...texts(object['data']).map(([key, text]) => [key, Buffer.from(text, 'utf8')] as const),
  ]);
}

function secretData(object: ApiObject): ReadonlyMap<string, Uint8Array> {
  return new Map(texts(object['data']).map(([key, text]) => [key, Buffer.from(text, 'base64')] as const));
}

function texts(value: unknown): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}

function fieldFiles(
  pod: Pod,
  { items = [] }: DownwardApiSource,
  mode: number,
  allocatable: Quantities,
): Payload {
  const files = new Map<string, VolumeFile>();
  const errors: VolumeError[] = [];
  for (const { path, fieldRef, resourceFieldRef, mode: own = mode } of items) {
    try {
      let text = '';
      if (fieldRef !== undefined) text = podField(pod, fieldRef);
      else if (resourceFieldRef !== undefined) text = resourceField(pod, resourceFieldRef, allocatable);
      files.set(path, { data: Buffer.from(text), mode: own });
    } catch (error) {
      errors.push(new VolumeError(messageOf(error), { cause: error }));
    }
  }
  const failed = aggregate(errors);
  if (failed !== undefined) throw failed;
  return files;
}

/** Readable by the pod's user, where all of its containers have the same; by its group, where it has one. */
function tokenFile(pod: Pod, token: string, mode: number): VolumeFile {
  const uid = commonUser(pod);
  const isOwned = uid !== undefined || pod.spec.securityContext?.fsGroup !== undefined;
  return {
    data: Buffer.from(token),
    mode: isOwned ? TOKEN_MODE : mode,
    ...(uid !== undefined && { uid }),
  };
}

/** Source: kubelet, volume/util FsUserFrom. */
function commonUser({ spec }: Pod): number | undefined {
  const users = [...(spec.initContainers ?? []), ...spec.containers].map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
  );
  return users.every((user) => user === users[0]) ? users[0] : undefined;
}
