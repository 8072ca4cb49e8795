import { systemRandom, type Random } from '@hawser/seams';
import { randomSuffix } from '../../meta/generate-name.ts';
import { forbidden } from '../../status/status-errors.ts';
import type { Entry, ObjectStore } from '../../store/store.ts';
import { ensureRecord, records, text, type MutableRecord } from '../draft.ts';
import { concerns, type AdmissionPlugin } from './admission.ts';

const MIRROR = 'kubernetes.io/config.mirror';
const TOKEN_PATH = '/var/run/secrets/kubernetes.io/serviceaccount';
/** An hour and seven seconds: so that tokens of pods can be told from others. */
const TOKEN_SECONDS = 3607;
const FILE_MODE = 0o644;

/**
 * Pods run as a service account of their namespace, whose token is mounted into each container.
 * Source: kubernetes plugin/pkg/admission/serviceaccount.
 */
export function serviceAccountAdmission(store: ObjectStore, random: Random = systemRandom): AdmissionPlugin {
  return {
    admit(attributes) {
      const { object, operation, namespace, name, resource } = attributes;
      if (object === undefined || operation !== 'CREATE' || !concerns(attributes, 'pods')) return;
      const spec = ensureRecord(object, 'spec');
      if (object.metadata.annotations?.[MIRROR] !== undefined) {
        if (text(spec['serviceAccountName']) === '') return;
        throw forbidden(resource, name, 'a mirror pod may not reference service accounts');
      }
      const account = text(spec['serviceAccountName']) || 'default';
      spec['serviceAccountName'] = account;
      spec['serviceAccount'] = account;
      const entry = store.get({ group: '', resource: 'serviceaccounts', namespace, name: account });
      if (entry === undefined) {
        const why = `error looking up service account ${namespace}/${account}: serviceaccount ${JSON.stringify(account)} not found`;
        throw forbidden(resource, name, why);
      }
      if (mountsToken(spec, entry)) mountToken(spec, random);
      const { imagePullSecrets } = entry.object;
      if (spec['imagePullSecrets'] === undefined && imagePullSecrets !== undefined) {
        spec['imagePullSecrets'] = structuredClone(imagePullSecrets);
      }
    },
  };
}

function mountsToken(spec: MutableRecord, account: Entry): boolean {
  if (typeof spec['automountServiceAccountToken'] === 'boolean') return spec['automountServiceAccountToken'];
  return account.object['automountServiceAccountToken'] !== false;
}

function mountToken(spec: MutableRecord, random: Random): void {
  const containers = [...records(spec['initContainers']), ...records(spec['containers'])];
  const unmounted = containers.filter(
    (container) => !records(container['volumeMounts']).some(({ mountPath }) => mountPath === TOKEN_PATH),
  );
  if (unmounted.length === 0) return;
  const name = `kube-api-access-${randomSuffix(random)}`;
  for (const container of unmounted) {
    const mount = { name, readOnly: true, mountPath: TOKEN_PATH };
    container['volumeMounts'] = [...records(container['volumeMounts']), mount];
  }
  spec['volumes'] = [...records(spec['volumes']), tokenVolume(name)];
}

function tokenVolume(name: string): MutableRecord {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
      defaultMode: FILE_MODE,
    },
  };
}
