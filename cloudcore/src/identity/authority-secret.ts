import { StatusError, ResourceClient, RESOURCES, type ApiClient, type KubeObject } from '@hawser/kube';
import { systemClock, type Clock } from '@hawser/seams';
import { HAWSER_NAMESPACE, LABELS, OBJECTS } from '../cluster/names.ts';
import { CloudCoreError } from '../errors.ts';
import { createAuthority, readAuthority, type Authority } from './authority.ts';

/** Further trusted authorities in the Secret, while one takes the place of another. */
const TRUSTED = 'trusted.crt';

/**
 * The authority of the cluster, from the Secret hawser-system/hawser-authority (`tls.crt`, `tls.key`, and optionally
 * `trusted.crt` with further authorities that nodes shall believe). Where it is not there, it is made, and the
 * namespace with it; what is there is never overwritten. Two that begin at once get the same one.
 *
 * @throws CloudCoreError `ERR_CLOUDCORE_AUTHORITY`, `ERR_CLOUDCORE_AUTHORITY_DATES`; the errors of {@link ApiClient}
 */
export async function ensureAuthority(
  client: ApiClient,
  options: { clock?: Clock; signal?: AbortSignal } = {},
): Promise<Authority> {
  const { clock = systemClock, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const secrets = new ResourceClient(client, RESOURCES.secrets);
  const present = await unless(404, secrets.get(HAWSER_NAMESPACE, OBJECTS.authority, call));
  if (present !== undefined) return await authorityOf(present, clock);
  const made = await unless(409, makeSecret(client, await newSecret(clock), call));
  // Where there is none now, somebody else was faster: theirs is the authority.
  return await authorityOf(made ?? (await secrets.get(HAWSER_NAMESPACE, OBJECTS.authority, call)), clock);
}

/** Makes the namespace only where it is missing: a hub may not have the right to do so. */
async function makeSecret(
  client: ApiClient,
  secret: KubeObject,
  call: { signal?: AbortSignal },
): Promise<KubeObject> {
  const secrets = new ResourceClient(client, RESOURCES.secrets);
  const made = await unless(404, secrets.create(secret, call));
  if (made !== undefined) return made;
  await unless(409, new ResourceClient(client, RESOURCES.namespaces).create(namespaceObject(), call));
  return await secrets.create(secret, call);
}

async function newSecret(clock: Clock): Promise<KubeObject> {
  const { certificate, privateKey } = await createAuthority(clock.wallMs());
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace: HAWSER_NAMESPACE,
      name: OBJECTS.authority,
      labels: { [LABELS.kind]: 'authority' },
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': encode(certificate), 'tls.key': encode(privateKey) },
  };
}

function namespaceObject(): KubeObject {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: HAWSER_NAMESPACE } };
}

async function authorityOf(secret: KubeObject, clock: Clock): Promise<Authority> {
  const data = (secret['data'] ?? {}) as Readonly<Record<string, unknown>>;
  return await readAuthority(
    {
      certificate: part(data, 'tls.crt'),
      privateKey: part(data, 'tls.key'),
      ...(data[TRUSTED] !== undefined && { trusted: part(data, TRUSTED) }),
    },
    clock.wallMs(),
  );
}

function part(data: Readonly<Record<string, unknown>>, name: string): string {
  const value = data[name];
  if (typeof value === 'string') return Buffer.from(value, 'base64').toString('utf8');
  const message = `the Secret ${HAWSER_NAMESPACE}/${OBJECTS.authority} has no ${name}`;
  throw new CloudCoreError('ERR_CLOUDCORE_AUTHORITY', message);
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The call's answer, or undefined where the server refused it with this HTTP status. */
async function unless<T>(code: number, call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof StatusError && error.status.code === code) return undefined;
    throw error;
  }
}
