import type { KubeObject } from '../../meta/object.ts';
import { field } from '../../status/field-error.ts';
import { badRequest, conflict, invalid, notFound } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import { admit, type AdmissionPlugin } from '../admission/admission.ts';
import { apiTime, number, record, strings, text, type Draft, type MutableRecord } from '../draft.ts';
import type { Action } from '../http/actions.ts';
import { writeOptions } from '../http/query-options.ts';
import { keyOf } from '../rest/object-writer.ts';
import { decodeBody } from './decode-body.ts';

/** What a token is bound to: it ends with the object. */
export interface BoundObject {
  readonly kind: string;
  readonly apiVersion: string;
  readonly name: string;
  readonly uid: string;
}

/** A token that a service account is to get. */
export interface TokenOrder {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly serviceAccountUid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly boundTo: BoundObject | undefined;
  /** Of a bound pod, the node that it runs on. */
  readonly nodeName: string | undefined;
}

/** Makes service account tokens. */
export interface TokenIssuer {
  /** Audiences of a request that names none: those of the API server. */
  readonly defaultAudiences: readonly string[];
  issue(order: TokenOrder): Promise<{ readonly token: string; readonly expiresAtMs: number }>;
}

const KIND = { group: 'authentication.k8s.io', kind: 'TokenRequest' };
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;
const DEFAULT_SECONDS = 3600;
const BOUND_KINDS: Readonly<Record<string, string>> = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' };

/**
 * `serviceaccounts/token`. Source: kubernetes pkg/registry/core/serviceaccount/storage TokenREST.
 */
export function tokenAction(
  store: ObjectStore,
  issuer: TokenIssuer | undefined,
  plugins: readonly AdmissionPlugin[],
): Action {
  return async (context, accounts) => {
    if (issuer === undefined) throw badRequest('this server issues no tokens');
    const options = writeOptions(context.query, 'CreateOptions');
    const { namespace, name } = context.info;
    const account = store.get(keyOf(accounts, namespace, name));
    if (account === undefined) throw notFound(accounts, name);
    const request = await decodeBody(context, accounts, {
      struct: 'authentication.TokenRequest',
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
    });
    if ((request.metadata.name ?? '') !== '' && request.metadata.name !== name) {
      throw badRequest(`name on the URL (${name}) does not match the name in the TokenRequest`);
    }
    request.metadata = { ...request.metadata, name, namespace };
    const spec = record(request['spec']);
    spec['expirationSeconds'] ??= DEFAULT_SECONDS;
    await admit(plugins, {
      operation: 'CREATE',
      resource: { group: '', resource: 'serviceaccounts' },
      version: 'v1',
      kind: 'TokenRequest',
      subresource: 'token',
      namespace,
      name,
      user: context.user,
      dryRun: options.dryRun,
      object: request,
    });
    checkExpiration(number(spec['expirationSeconds']) ?? 0);
    if (strings(spec['audiences']).length === 0) spec['audiences'] = [...issuer.defaultAudiences];
    const bound = boundObject(store, namespace, record(spec['boundObjectRef']), account.object);
    const status = options.dryRun
      ? { token: '', expirationTimestamp: null }
      : await issued(issuer, {
          namespace,
          serviceAccount: name,
          serviceAccountUid: account.object.metadata.uid ?? '',
          audiences: strings(spec['audiences']),
          expirationSeconds: number(spec['expirationSeconds']) ?? DEFAULT_SECONDS,
          ...bound,
        });
    await context.respond.object(
      201,
      answer(request, account.object.metadata.uid ?? '', spec, status, context.now),
      context.representation,
    );
  };
}

function answer(
  request: Draft,
  accountUid: string,
  spec: MutableRecord,
  status: object,
  now: string,
): object {
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { ...request.metadata, uid: accountUid, creationTimestamp: now },
    spec,
    status,
  };
}

async function issued(issuer: TokenIssuer, order: TokenOrder): Promise<object> {
  const { token, expiresAtMs } = await issuer.issue(order);
  return { token, expirationTimestamp: apiTime(expiresAtMs) };
}

function checkExpiration(seconds: number): void {
  const path = 'spec.expirationSeconds';
  const problem =
    seconds < MIN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : seconds > MAX_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (problem !== undefined) throw invalid(KIND, '', [field.invalid(path, seconds, problem)]);
}

function boundObject(
  store: ObjectStore,
  namespace: string,
  ref: MutableRecord,
  account: KubeObject,
): Pick<TokenOrder, 'boundTo' | 'nodeName'> {
  const kind = text(ref['kind']);
  if (kind === '') return { boundTo: undefined, nodeName: undefined };
  const resource = BOUND_KINDS[kind];
  if (resource === undefined)
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to type v1, Kind=${kind}`,
    );
  const name = text(ref['name']);
  const at = { group: '', resource, namespace: kind === 'Node' ? '' : namespace, name };
  const entry = store.get(at);
  if (entry === undefined) throw notFound({ group: '', resource }, name);
  const uid = entry.object.metadata.uid ?? '';
  const wanted = text(ref['uid']);
  if (wanted !== '' && wanted !== uid) {
    const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', resource }, name, why);
  }
  const spec = record(entry.object['spec']);
  if (kind === 'Pod' && spec['serviceAccountName'] !== account.metadata.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`,
    );
  }
  const apiVersion = text(ref['apiVersion']) || 'v1';
  const nodeName = kind === 'Pod' ? text(spec['nodeName']) : '';
  return { boundTo: { kind, apiVersion, name, uid }, nodeName: nodeName === '' ? undefined : nodeName };
}
