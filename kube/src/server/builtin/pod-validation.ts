import { jsonEqual } from '../../meta/json.ts';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { Quantity } from '../../quantity/quantity.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import { number, record, records, strings, text, type Draft, type MutableRecord } from '../draft.ts';
import { volumeErrors } from './volume-validation.ts';

const RESTART_POLICIES = ['Always', 'OnFailure', 'Never'];
const DNS_POLICIES = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File'];
const PORT_RANGE = 'must be between 1 and 65535, inclusive';
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'];
const PORT_NAME = /^(?=.*[a-z])[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

/**
 * Checks a pod's spec; the parts that clients get wrong, in the order and words of the API.
 * Source: kubernetes pkg/apis/core/validation ValidatePodSpec.
 */
export function podSpecErrors(spec: MutableRecord, path: string): FieldError[] {
  const volumes = new Set<string>();
  const errors = volumeErrors(spec['volumes'], `${path}.volumes`, volumes);
  const names = new Set<string>();
  if (records(spec['containers']).length === 0) errors.push(field.required(`${path}.containers`));
  errors.push(...containerErrors(spec['containers'], `${path}.containers`, names, volumes));
  errors.push(...containerErrors(spec['initContainers'], `${path}.initContainers`, names, volumes));
  errors.push(...enumErrors(spec, 'restartPolicy', path, RESTART_POLICIES));
  errors.push(...enumErrors(spec, 'dnsPolicy', path, DNS_POLICIES));
  const account = text(spec['serviceAccountName']);
  if (account !== '') {
    for (const problem of dns1123SubdomainProblems(account)) {
      errors.push(field.invalid(`${path}.serviceAccountName`, account, problem));
    }
  }
  const node = text(spec['nodeName']);
  if (node !== '') {
    for (const problem of dns1123SubdomainProblems(node))
      errors.push(field.invalid(`${path}.nodeName`, node, problem));
  }
  const deadline = number(spec['activeDeadlineSeconds']);
  if (deadline !== undefined && deadline < 1) {
    errors.push(
      field.invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'),
    );
  }
  errors.push(...tolerationErrors(spec['tolerations'], `${path}.tolerations`));
  return errors;
}

function enumErrors(
  owner: MutableRecord,
  key: string,
  path: string,
  supported: readonly string[],
): FieldError[] {
  const value = text(owner[key]);
  if (value === '') return [field.required(`${path}.${key}`)];
  return supported.includes(value) ? [] : [field.notSupported(`${path}.${key}`, value, supported)];
}

function containerErrors(
  containers: unknown,
  path: string,
  names: Set<string>,
  volumes: ReadonlySet<string>,
): FieldError[] {
  return records(containers).flatMap((container, index) => {
    const at = `${path}[${index}]`;
    return [
      ...nameErrors(container, at, names),
      ...(text(container['image']) === '' ? [field.required(`${at}.image`)] : []),
      ...portErrors(container['ports'], `${at}.ports`),
      ...envErrors(container['env'], `${at}.env`),
      ...mountErrors(container['volumeMounts'], `${at}.volumeMounts`, volumes),
      ...probeErrors(container, at),
      ...enumErrors(container, 'imagePullPolicy', at, PULL_POLICIES),
      ...enumErrors(container, 'terminationMessagePolicy', at, MESSAGE_POLICIES),
      ...resourceErrors(record(container['resources']), `${at}.resources`),
    ];
  });
}

function nameErrors(container: MutableRecord, path: string, names: Set<string>): FieldError[] {
  const name = text(container['name']);
  const at = `${path}.name`;
  if (name === '') return [field.required(at)];
  const errors = dns1123LabelProblems(name).map((problem) => field.invalid(at, name, problem));
  if (names.has(name)) errors.push(field.duplicate(at, name));
  names.add(name);
  return errors;
}

function portErrors(ports: unknown, path: string): FieldError[] {
  const names = new Set<string>();
  return records(ports).flatMap((port, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    const name = text(port['name']);
    if (name !== '') {
      if (name.length > 15)
        errors.push(field.invalid(`${at}.name`, name, 'must be no more than 15 characters'));
      else if (!PORT_NAME.test(name) || name.includes('--')) {
        const detail =
          'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-), with at least one letter';
        errors.push(field.invalid(`${at}.name`, name, detail));
      } else if (names.has(name)) errors.push(field.duplicate(`${at}.name`, name));
      names.add(name);
    }
    const containerPort = number(port['containerPort']) ?? 0;
    if (containerPort === 0) errors.push(field.required(`${at}.containerPort`));
    else if (!isPort(containerPort))
      errors.push(field.invalid(`${at}.containerPort`, containerPort, PORT_RANGE));
    const hostPort = number(port['hostPort']);
    if (hostPort !== undefined && !isPort(hostPort))
      errors.push(field.invalid(`${at}.hostPort`, hostPort, PORT_RANGE));
    return [...errors, ...enumErrors(port, 'protocol', at, PROTOCOLS)];
  });
}

/** Whether a number is a port. */
export function isPort(port: number): boolean {
  return port >= 1 && port <= 65535;
}

function envErrors(env: unknown, path: string): FieldError[] {
  return records(env).flatMap((variable, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    const name = text(variable['name']);
    if (name === '') errors.push(field.required(`${at}.name`));
    else if (name.includes('=')) {
      errors.push(
        field.invalid(`${at}.name`, name, "a valid environment variable name must not contain '='"),
      );
    }
    if (variable['valueFrom'] !== undefined && text(variable['value']) !== '') {
      errors.push(field.invalid(`${at}.valueFrom`, '', 'may not be specified when `value` is not empty'));
    }
    return errors;
  });
}

function mountErrors(mounts: unknown, path: string, volumes: ReadonlySet<string>): FieldError[] {
  const paths = new Set<string>();
  return records(mounts).flatMap((mount, index) => {
    const at = `${path}[${index}]`;
    const errors: FieldError[] = [];
    const name = text(mount['name']);
    const mountPath = text(mount['mountPath']);
    if (name === '') errors.push(field.required(`${at}.name`));
    else if (!volumes.has(name)) errors.push(field.notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(field.required(`${at}.mountPath`));
    else if (paths.has(mountPath)) errors.push(field.invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    paths.add(mountPath);
    return errors;
  });
}

function probeErrors(container: MutableRecord, path: string): FieldError[] {
  return ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) => {
    if (container[name] === undefined) return [];
    const probe = record(container[name]);
    const handlers = HANDLERS.filter((handler) => probe[handler] !== undefined);
    const at = `${path}.${name}`;
    if (handlers.length === 0) return [field.required(at, 'must specify a handler type')];
    return handlers
      .slice(1)
      .map((handler) => field.forbidden(`${at}.${handler}`, 'may not specify more than 1 handler type'));
  });
}

function resourceErrors(resources: MutableRecord, path: string): FieldError[] {
  const limits = record(resources['limits']);
  const requests = record(resources['requests']);
  return Object.entries(requests).flatMap(([name, request]) => {
    const limit = limits[name];
    const requested = Quantity.parse(text(request));
    if (requested.sign < 0) {
      const detail = 'must be greater than or equal to 0';
      return [field.invalid(`${path}.requests[${name}]`, text(request), detail)];
    }
    if (typeof limit !== 'string' || requested.compare(Quantity.parse(limit)) <= 0) return [];
    const detail = `must be less than or equal to ${name} limit of ${limit}`;
    return [field.invalid(`${path}.requests`, text(request), detail)];
  });
}

function tolerationErrors(tolerations: unknown, path: string): FieldError[] {
  return records(tolerations).flatMap((toleration, index) => {
    const at = `${path}[${index}]`;
    const operator = text(toleration['operator']);
    const effect = text(toleration['effect']);
    const errors: FieldError[] = [];
    if (text(toleration['key']) === '' && operator !== 'Exists') {
      const detail =
        'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(field.invalid(`${at}.operator`, operator, detail));
    }
    if (toleration['tolerationSeconds'] !== undefined && effect !== 'NoExecute') {
      errors.push(
        field.invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"),
      );
    }
    if (operator === 'Exists' && text(toleration['value']) !== '') {
      const detail = "value must be empty when `operator` is 'Exists'";
      errors.push(field.invalid(`${at}.operator`, toleration['value'], detail));
    } else if (operator !== '' && operator !== 'Exists' && operator !== 'Equal') {
      errors.push(field.notSupported(`${at}.operator`, operator, ['Equal', 'Exists']));
    }
    if (effect !== '' && !EFFECTS.includes(effect))
      errors.push(field.notSupported(`${at}.effect`, effect, EFFECTS));
    return errors;
  });
}

const IMMUTABLE_SPEC =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** Checks what may change of a pod. Source: ValidatePodUpdate. */
export function podUpdateErrors(draft: Draft, old: KubeObject): FieldError[] {
  const spec = record(draft['spec']);
  const oldSpec = record(old['spec']);
  const errors = podSpecErrors(spec, 'spec');
  for (const [index, container] of records(spec['containers']).entries()) {
    if (text(container['image']).trim() !== text(container['image'])) {
      const detail = 'must not have leading or trailing whitespace';
      errors.push(field.invalid(`spec.containers[${index}].image`, container['image'], detail));
    }
  }
  const tolerations = records(spec['tolerations']);
  const dropped = records(oldSpec['tolerations']).some(
    (toleration) => !tolerations.some((kept) => sameToleration(kept, toleration)),
  );
  if (dropped) {
    const detail = 'existing toleration can not be modified except its tolerationSeconds';
    errors.push(field.forbidden('spec.tolerations', detail));
  }
  if (!jsonEqual(fixedPart(spec, oldSpec), fixedPart(oldSpec, oldSpec))) {
    errors.push(field.forbidden('spec', IMMUTABLE_SPEC));
  }
  return errors;
}

function sameToleration(left: MutableRecord, right: MutableRecord): boolean {
  return ['key', 'operator', 'value', 'effect'].every((key) => left[key] === right[key]);
}

/** A spec without what may change. */
function fixedPart(spec: MutableRecord, old: MutableRecord): MutableRecord {
  const fixed: MutableRecord = { ...spec };
  for (const key of ['containers', 'initContainers']) {
    if (spec[key] !== undefined)
      fixed[key] = records(spec[key]).map((container) => ({ ...container, image: '' }));
  }
  delete fixed['activeDeadlineSeconds'];
  delete fixed['tolerations'];
  const grace = number(old['terminationGracePeriodSeconds']);
  if (grace !== undefined && grace < 0 && spec['terminationGracePeriodSeconds'] === 1) {
    fixed['terminationGracePeriodSeconds'] = grace;
  }
  const gates = strings(records(spec['schedulingGates']).map(({ name }) => name));
  const oldGates = strings(records(old['schedulingGates']).map(({ name }) => name));
  if (gates.every((name) => oldGates.includes(name))) fixed['schedulingGates'] = old['schedulingGates'];
  return fixed;
}
