import { ensureRecord, record, records, setDefault, text, type MutableRecord } from '../draft.ts';

const FILE_MODE = 0o644;

/**
 * Fills in the defaults of a pod's spec, in a pod or a template.
 * Source: kubernetes pkg/apis/core/v1 defaults.go.
 */
export function defaultPodSpec(spec: MutableRecord): void {
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'schedulerName', 'default-scheduler');
  ensureRecord(spec, 'securityContext');
  // The old name of the same thing is kept alike.
  const account = text(spec['serviceAccountName']) || text(spec['serviceAccount']);
  if (account !== '') {
    spec['serviceAccountName'] = account;
    spec['serviceAccount'] = account;
  }
  for (const volume of records(spec['volumes'])) defaultVolume(volume);
  const hostNetwork = spec['hostNetwork'] === true;
  for (const list of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of records(spec[list])) defaultContainer(container, hostNetwork);
  }
}

/** What only pods get, templates do not. */
export function defaultPod(spec: MutableRecord): void {
  setDefault(spec, 'enableServiceLinks', true);
  for (const list of ['initContainers', 'containers']) {
    for (const container of records(spec[list])) defaultRequests(container);
  }
}

/** Requests that are not given are the limits. */
function defaultRequests(container: MutableRecord): void {
  const resources = record(container['resources']);
  const limits = record(resources['limits']);
  if (Object.keys(limits).length === 0) return;
  const requests = ensureRecord(resources, 'requests');
  for (const [name, quantity] of Object.entries(limits)) requests[name] ??= quantity;
}

function defaultContainer(container: MutableRecord, hostNetwork: boolean): void {
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  if (text(container['imagePullPolicy']) === '') {
    container['imagePullPolicy'] = isLatest(text(container['image'])) ? 'Always' : 'IfNotPresent';
  }
  for (const port of records(container['ports'])) {
    setDefault(port, 'protocol', 'TCP');
    if (hostNetwork && port['containerPort'] !== 0) setDefault(port, 'hostPort', port['containerPort']);
  }
  for (const variable of records(container['env'])) defaultFieldRef(record(variable['valueFrom']));
  for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    if (container[name] !== undefined) defaultProbe(record(container[name]));
  }
  const lifecycle = record(container['lifecycle']);
  for (const hook of ['postStart', 'preStop']) defaultHttpGet(record(lifecycle[hook]));
}

/** Whether an image names no version: no tag and no digest, or the tag `latest`. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false;
  const name = image.slice(image.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  return colon === -1 || name.slice(colon + 1) === 'latest';
}

function defaultProbe(probe: MutableRecord): void {
  setDefault(probe, 'timeoutSeconds', 1);
  setDefault(probe, 'periodSeconds', 10);
  setDefault(probe, 'successThreshold', 1);
  setDefault(probe, 'failureThreshold', 3);
  defaultHttpGet(probe);
  if (probe['grpc'] !== undefined) setDefault(record(probe['grpc']), 'service', '');
}

function defaultHttpGet(handler: MutableRecord): void {
  if (handler['httpGet'] === undefined) return;
  const get = record(handler['httpGet']);
  setDefault(get, 'path', '/');
  setDefault(get, 'scheme', 'HTTP');
}

function defaultFieldRef(source: MutableRecord): void {
  if (source['fieldRef'] !== undefined) setDefault(record(source['fieldRef']), 'apiVersion', 'v1');
}

/** Keys of a volume that say what it is. */
const NO_SOURCE_KEYS = new Set(['name']);

function defaultVolume(volume: MutableRecord): void {
  if (Object.keys(volume).every((key) => NO_SOURCE_KEYS.has(key))) volume['emptyDir'] = {};
  for (const kind of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    if (volume[kind] !== undefined) setDefault(record(volume[kind]), 'defaultMode', FILE_MODE);
  }
  if (volume['hostPath'] !== undefined) record(volume['hostPath'])['type'] ??= '';
  for (const item of records(record(volume['downwardAPI'])['items'])) defaultFieldRef(item);
  for (const source of records(record(volume['projected'])['sources'])) {
    for (const item of records(record(source['downwardAPI'])['items'])) defaultFieldRef(item);
    if (source['serviceAccountToken'] !== undefined) {
      setDefault(record(source['serviceAccountToken']), 'expirationSeconds', 3600);
    }
  }
}
