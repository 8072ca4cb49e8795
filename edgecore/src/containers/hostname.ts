import type { Pod } from '../pods/pod.ts';
import { PodError } from '../pods/pod-error.ts';

/** What a pod is called, by itself and by others. */
export interface PodHostname {
  /** Short name: that of `/etc/hosts`. */
  readonly hostname: string;
  /** `<subdomain>.<namespace>.svc.<cluster domain>`; empty: it has none. */
  readonly domain: string;
  /** What `hostname` prints in a container: the short name, or all of it with `setHostnameAsFQDN`. */
  readonly kernelName: string;
}

/** A hostname is one label of DNS. */
const MAX_HOSTNAME = 63;
/** A kernel has room for that. Source: uname(2), __NEW_UTS_LEN. */
const MAX_KERNEL_NAME = 64;
const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/**
 * The names of a pod. What is longer than a label of DNS is cut off.
 * @throws PodError `FailedCreatePodSandBox`: a name is none of DNS, or the full one is too long for a kernel
 * Source: kubelet, GeneratePodHostNameAndDomain, util GetNodenameForKernel.
 */
export function podHostname({ metadata, spec }: Pod, clusterDomain: string): PodHostname {
  const { hostname = '', subdomain = '', hostnameOverride } = spec;
  if (hostnameOverride !== undefined) {
    if (!SUBDOMAIN.test(hostnameOverride)) throw invalid('HostnameOverride', hostnameOverride, 'subdomain');
    const name = truncated(hostnameOverride);
    return { hostname: name, domain: '', kernelName: name };
  }
  if (hostname !== '' && !LABEL.test(hostname)) throw invalid('Hostname', hostname, 'label');
  if (subdomain !== '' && !LABEL.test(subdomain)) throw invalid('Subdomain', subdomain, 'label');
  const name = truncated(hostname === '' ? metadata.name : hostname);
  const domain =
    subdomain === '' ? '' : `${subdomain}.${metadata.namespace}.svc.${clusterDomain}`.replace(/\.$/, '');
  return { hostname: name, domain, kernelName: kernelName(name, domain, spec.setHostnameAsFQDN === true) };
}

function truncated(name: string): string {
  return name.length <= MAX_HOSTNAME ? name : name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
}

function kernelName(hostname: string, domain: string, asFqdn: boolean): string {
  if (!asFqdn || domain === '') return hostname;
  const fqdn = `${hostname}.${domain}`;
  if (fqdn.length <= MAX_KERNEL_NAME) return fqdn;
  throw failed(
    `failed to construct FQDN from pod hostname and cluster domain, FQDN ${fqdn} is too long ` +
      `(${MAX_KERNEL_NAME} characters is the max, ${fqdn.length} characters requested)`,
  );
}

function invalid(field: string, value: string, kind: string): PodError {
  return failed(`pod ${field} "${value}" is not a valid DNS ${kind}`);
}

function failed(why: string): PodError {
  return new PodError('FailedCreatePodSandBox', `Failed to create pod sandbox: ${why}`);
}
