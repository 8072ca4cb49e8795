import { ensureAuthority, HAWSER_NAMESPACE, OBJECTS, type Authority } from '@hawser/cloudcore/admin';
import { ResourceClient, RESOURCES, type ApiClient } from '@hawser/kube';
import { CliError } from '../errors.ts';
import { unlessMissing } from './apply.ts';

/** Whether the cluster has an authority. Errors: those of {@link ApiClient}. */
export async function hasAuthority(client: ApiClient, signal: AbortSignal): Promise<boolean> {
  const secrets = new ResourceClient(client, RESOURCES.secrets);
  return (await unlessMissing(secrets.get(HAWSER_NAMESPACE, OBJECTS.authority, { signal }))) !== undefined;
}

/**
 * The authority of a cluster that was initialised; never makes one.
 * @throws CliError `ERR_CLI_NOT_INITIALISED`; those of `ensureAuthority`
 */
export async function presentAuthority(client: ApiClient, signal: AbortSignal): Promise<Authority> {
  if (await hasAuthority(client, signal)) return await ensureAuthority(client, { signal });
  const where = `${HAWSER_NAMESPACE}/${OBJECTS.authority}`;
  throw new CliError('ERR_CLI_NOT_INITIALISED', `the cluster has no authority of Hawser (Secret ${where})`);
}
