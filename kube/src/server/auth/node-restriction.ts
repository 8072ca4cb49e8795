import { jsonEqual } from '../../meta/json.ts';
import { nodeMayLabel } from '../../meta/node-labels.ts';
import { forbidden, notFound } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission/admission.ts';
import { record, records, strings, stringMap, text } from '../draft.ts';
import { csrSubject } from './csr-subject.ts';
import { nodeName } from './node-identity.ts';

const MIRROR = 'kubernetes.io/config.mirror';

/**
 * What a node writes must be its own: its Node, its Lease, its pods' status, mirror pods, tokens of its pods.
 * Source: kubernetes plugin/pkg/admission/noderestriction.
 */
export class NodeRestriction implements AdmissionPlugin {
  readonly #store: ObjectStore;
  constructor(store: ObjectStore) {
    this.#store = store;
  }

  admit(attributes: AdmissionAttributes): void {
    const node = nodeName(attributes.user);
    if (node === undefined) return;
    const { resource, subresource } = attributes;
    switch (`${resource.resource}.${resource.group}`) {
      case 'pods.':
        if (subresource === '') this.#pod(node, attributes);
        else if (subresource === 'status') podStatus(node, attributes);
        else if (subresource === 'eviction') this.#eviction(node, attributes);
        else
          throw refuse(
            attributes,
            `unexpected pod subresource ${JSON.stringify(subresource)}, only 'status' and 'eviction' are allowed`,
          );
        return;
      case 'nodes.':
        ownNode(node, attributes);
        return;
      case 'serviceaccounts.':
        if (subresource === 'token') this.#token(node, attributes);
        return;
      case 'certificatesigningrequests.certificates.k8s.io':
        if (subresource === '') signingRequest(attributes);
        return;
      case 'leases.coordination.k8s.io':
        ownName(node, attributes, 'can only access node lease with the same name as the requesting node');
        return;
      case 'csinodes.storage.k8s.io':
        ownName(node, attributes, 'can only access CSINode with the same name as the requesting node');
        return;
      default:
    }
  }

  #pod(node: string, attributes: AdmissionAttributes): void {
    const { operation, oldObject } = attributes;
    if (operation === 'CREATE') this.#mirrorPod(node, attributes);
    else if (operation === 'DELETE') {
      if (record(oldObject?.['spec'])['nodeName'] === node) return;
      throw refuse(
        attributes,
        `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`,
      );
    } else
      throw refuse(
        attributes,
        `unexpected operation ${JSON.stringify(operation)}, node ${JSON.stringify(node)} can only create and delete mirror pods`,
      );
  }

  #mirrorPod(node: string, attributes: AdmissionAttributes): void {
    const { object } = attributes;
    if (object === undefined) return;
    const quoted = JSON.stringify(node);
    if (object.metadata.annotations?.[MIRROR] === undefined) {
      throw refuse(
        attributes,
        `pod does not have ${JSON.stringify(MIRROR)} annotation, node ${quoted} can only create mirror pods`,
      );
    }
    const spec = record(object['spec']);
    if (spec['nodeName'] !== node)
      throw refuse(attributes, `node ${quoted} can only create pods with spec.nodeName set to itself`);
    const owners = object.metadata.ownerReferences ?? [];
    const [owner] = owners;
    if (owners.length > 1)
      throw refuse(
        attributes,
        `node ${quoted} can only create pods with a single owner reference set to itself`,
      );
    if (owner !== undefined) {
      if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
        throw refuse(attributes, `node ${quoted} can only create pods with an owner reference set to itself`);
      }
      if (owner.controller !== true)
        throw refuse(
          attributes,
          `node ${quoted} can only create pods with a controller owner reference set to itself`,
        );
      if (owner.blockOwnerDeletion === true)
        throw refuse(attributes, `node ${quoted} must not set blockOwnerDeletion on an owner reference`);
      const self = this.#store.get({ group: '', resource: 'nodes', namespace: '', name: node });
      if (self?.object.metadata.uid !== owner.uid)
        throw refuse(
          attributes,
          `node ${quoted} UID mismatch: expected ${owner.uid} got ${self?.object.metadata.uid ?? ''}`,
        );
    }
    if (text(spec['serviceAccountName']) !== '') {
      throw refuse(attributes, `node ${quoted} can not create pods that reference a service account`);
    }
    for (const volume of records(spec['volumes'])) {
      if (volume['secret'] !== undefined)
        throw refuse(attributes, `node ${quoted} can not create pods that reference secrets`);
      if (volume['configMap'] !== undefined)
        throw refuse(attributes, `node ${quoted} can not create pods that reference configmaps`);
      if (volume['persistentVolumeClaim'] !== undefined) {
        throw refuse(attributes, `node ${quoted} can not create pods that reference persistentvolumeclaims`);
      }
    }
  }

  #eviction(node: string, attributes: AdmissionAttributes): void {
    const { namespace, name, oldObject } = attributes;
    const pod = oldObject ?? this.#store.get({ group: '', resource: 'pods', namespace, name })?.object;
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name);
    if (record(pod['spec'])['nodeName'] === node) return;
    throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`);
  }

  #token(node: string, attributes: AdmissionAttributes): void {
    const { object, namespace } = attributes;
    const spec = record(object?.['spec']);
    const ref = record(spec['boundObjectRef']);
    if (ref['kind'] !== 'Pod') throw refuse(attributes, 'node requested token not bound to a pod');
    const uid = text(ref['uid']);
    if (uid === '') throw refuse(attributes, 'node requested token with a pod binding without a uid');
    const name = text(ref['name']);
    const pod = this.#store.get({ group: '', resource: 'pods', namespace, name });
    if (pod === undefined) throw notFound({ group: '', resource: 'pods' }, name);
    if (pod.object.metadata.uid !== uid) {
      throw refuse(
        attributes,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      );
    }
    const podSpec = record(pod.object['spec']);
    if (podSpec['nodeName'] !== node)
      throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node');
    for (const audience of strings(spec['audiences'])) {
      if (audienceOfPod(podSpec, audience)) continue;
      throw refuse(
        attributes,
        `audience ${JSON.stringify(audience)} not found in pod spec volume, ${attributes.user.username} is not authorized to request tokens for this audience`,
      );
    }
  }
}

/** Whether a volume of the pod wants a token for that audience. */
function audienceOfPod(spec: Record<string, unknown>, audience: string): boolean {
  return records(spec['volumes']).some((volume) =>
    records(record(volume['projected'])['sources']).some(
      (source) => record(source['serviceAccountToken'])['audience'] === audience,
    ),
  );
}

function refuse({ resource, name }: AdmissionAttributes, why: string): Error {
  return forbidden(resource, name, why);
}

function podStatus(node: string, attributes: AdmissionAttributes): void {
  const { operation, object, oldObject } = attributes;
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${JSON.stringify(operation)}`);
  const quoted = JSON.stringify(node);
  if (record(oldObject?.['spec'])['nodeName'] !== node) {
    throw refuse(
      attributes,
      `node ${quoted} can only update pod status for pods with spec.nodeName set to itself`,
    );
  }
  if (!jsonEqual(object?.metadata.labels ?? {}, oldObject?.metadata.labels ?? {})) {
    throw refuse(attributes, `node ${quoted} cannot update labels through pod status`);
  }
}

const KUBELET_SIGNERS = new Set([
  'kubernetes.io/kube-apiserver-client-kubelet',
  'kubernetes.io/kubelet-serving',
]);

/** A node asks for certificates in its own name only. */
function signingRequest(attributes: AdmissionAttributes): void {
  const spec = record(attributes.object?.['spec']);
  if (attributes.operation !== 'CREATE' || !KUBELET_SIGNERS.has(text(spec['signerName']))) return;
  const subject = csrSubject(Buffer.from(text(spec['request']), 'base64').toString('latin1'));
  const { username } = attributes.user;
  if (subject?.commonName !== username)
    throw refuse(attributes, `can only create a node CSR with CN=${username}`);
}

function ownName(node: string, attributes: AdmissionAttributes, why: string): void {
  if (attributes.name !== node) throw refuse(attributes, why);
}

function ownNode(node: string, attributes: AdmissionAttributes): void {
  const { name, operation, object, oldObject } = attributes;
  const quoted = JSON.stringify(node);
  if (name !== node)
    throw refuse(attributes, `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`);
  if (object === undefined) return;
  const labels = stringMap(object.metadata.labels);
  if (operation === 'CREATE') {
    if (record(object['spec'])['configSource'] !== undefined) {
      throw refuse(attributes, `node ${quoted} is not allowed to create pods with a non-nil configSource`);
    }
    const wrong = forbiddenLabels(Object.keys(labels));
    if (wrong.length > 0) {
      throw refuse(
        attributes,
        `node ${quoted} is not allowed to set the following labels: ${wrong.join(', ')}`,
      );
    }
    return;
  }
  if (operation !== 'UPDATE') return;
  if (!jsonEqual(record(object['spec'])['taints'], record(oldObject?.['spec'])['taints'])) {
    throw refuse(attributes, `node ${quoted} is not allowed to modify taints`);
  }
  const before = stringMap(oldObject?.metadata.labels);
  const touched = [...new Set([...Object.keys(labels), ...Object.keys(before)])].filter(
    (key) => labels[key] !== before[key],
  );
  const wrong = forbiddenLabels(touched);
  if (wrong.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${wrong.join(', ')}`);
}

function forbiddenLabels(keys: readonly string[]): string[] {
  return keys.filter((key) => !nodeMayLabel(key)).sort();
}
