import { dns1035LabelProblems, dns1123LabelProblems } from '../../meta/names.ts';
import type { KubeObject } from '../../meta/object.ts';
import { field, type FieldError } from '../../status/field-error.ts';
import {
  ensureRecord,
  number,
  record,
  records,
  setDefault,
  strings,
  text,
  type Draft,
  type MutableRecord,
} from '../draft.ts';
import type { ResourceDefinition, ResourceStrategy, StrategyContext } from '../registry/definition.ts';
import { servicePrinter } from '../table/core-printers.ts';
import { builtIn } from './define.ts';
import { isPort } from './pod-validation.ts';
import type { ServiceAllocator } from './service-allocator.ts';
import { keep, statusSubresource, zeroStatus } from './strategies.ts';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const PORT_RANGE = 'must be between 1 and 65535, inclusive';
const AFFINITY_SECONDS = 10_800;

/** Source: kubernetes pkg/apis/core/v1 SetDefaults_Service. */
function defaultService(draft: Draft): void {
  const spec = ensureRecord(draft, 'spec');
  setDefault(spec, 'sessionAffinity', 'None');
  if (spec['sessionAffinity'] === 'None') delete spec['sessionAffinityConfig'];
  else if (spec['sessionAffinity'] === 'ClientIP') {
    const config = ensureRecord(ensureRecord(spec, 'sessionAffinityConfig'), 'clientIP');
    config['timeoutSeconds'] ??= AFFINITY_SECONDS;
  }
  setDefault(spec, 'type', 'ClusterIP');
  for (const port of records(spec['ports'])) {
    setDefault(port, 'protocol', 'TCP');
    const target = port['targetPort'];
    if (target === undefined || target === 0 || target === '') port['targetPort'] = port['port'];
  }
  const exposed = spec['type'] === 'NodePort' || spec['type'] === 'LoadBalancer';
  if (exposed) setDefault(spec, 'externalTrafficPolicy', 'Cluster');
  if (spec['type'] !== 'ExternalName') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  if (spec['type'] === 'LoadBalancer') spec['allocateLoadBalancerNodePorts'] ??= true;
}

/** Source: ValidateService, so far as clients get it wrong. */
function serviceErrors(draft: Draft): FieldError[] {
  const spec = record(draft['spec']);
  const ports = records(spec['ports']);
  const errors: FieldError[] = [];
  const type = text(spec['type']);
  const clusterIp = text(spec['clusterIP']);
  if (ports.length === 0 && clusterIp !== 'None' && type !== 'ExternalName')
    errors.push(field.required('spec.ports'));
  if (type === 'ExternalName') {
    if (text(spec['externalName']) === '') errors.push(field.required('spec.externalName'));
    if (clusterIp !== '') {
      errors.push(field.forbidden('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
  }
  if (type === 'LoadBalancer' && clusterIp === 'None') {
    errors.push(
      field.invalid('spec.clusterIPs[0]', clusterIp, "may not be set to 'None' for LoadBalancer services"),
    );
  }
  const names = new Set<string>();
  const seen = new Set<string>();
  for (const [index, port] of ports.entries()) {
    errors.push(...portErrors(port, `spec.ports[${index}]`, ports.length > 1, names));
    const identity = `${String(port['port'])}/${text(port['protocol'])}`;
    if (seen.has(identity)) errors.push(field.duplicate(`spec.ports[${index}]`, port));
    seen.add(identity);
  }
  if (!TYPES.includes(type)) errors.push(field.notSupported('spec.type', type, TYPES));
  const affinity = text(spec['sessionAffinity']);
  if (affinity !== 'None' && affinity !== 'ClientIP') {
    errors.push(field.notSupported('spec.sessionAffinity', affinity, ['ClientIP', 'None']));
  }
  return errors;
}

function portErrors(port: MutableRecord, path: string, named: boolean, names: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const name = text(port['name']);
  if (name === '') {
    if (named) errors.push(field.required(`${path}.name`));
  } else {
    errors.push(...dns1123LabelProblems(name).map((problem) => field.invalid(`${path}.name`, name, problem)));
    if (names.has(name)) errors.push(field.duplicate(`${path}.name`, name));
    names.add(name);
  }
  const portNumber = number(port['port']) ?? 0;
  if (!isPort(portNumber)) errors.push(field.invalid(`${path}.port`, portNumber, PORT_RANGE));
  const protocol = text(port['protocol']);
  if (!PROTOCOLS.includes(protocol)) errors.push(field.notSupported(`${path}.protocol`, protocol, PROTOCOLS));
  const target = number(port['targetPort']);
  if (target !== undefined && !isPort(target))
    errors.push(field.invalid(`${path}.targetPort`, target, PORT_RANGE));
  return errors;
}

/** Hooks of services, with addresses from `allocator`. */
class ServiceHooks {
  readonly #allocator: ServiceAllocator;

  constructor(allocator: ServiceAllocator) {
    this.#allocator = allocator;
  }

  strategy(): ResourceStrategy {
    return {
      returnDeletedObject: true,
      nameProblems: serviceNameProblems,
      default: defaultService,
      prepareForCreate: (draft) => {
        draft['status'] = zeroStatus('Service');
      },
      validate: (draft, context) => {
        const errors = serviceErrors(draft);
        // Only what is valid gets an address.
        return errors.length > 0 ? errors : this.#allocate(draft, context);
      },
      settle: (draft) => this.#allocator.settle(draft['spec']),
      prepareForUpdate: (draft, old) => {
        keep(draft, old, 'status');
        carryOver(draft, old);
      },
      validateUpdate: (draft, old, context) => {
        const errors = [...immutableErrors(draft, old), ...serviceErrors(draft)];
        if (errors.length > 0) return errors;
        return this.#allocate(draft, context, old);
      },
    };
  }

  #allocate(draft: Draft, { store }: StrategyContext, old?: KubeObject): FieldError[] {
    const spec = record(draft['spec']);
    const oldSpec = record(old?.['spec']);
    const type = text(spec['type']);
    if (type === 'ExternalName') {
      for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
        Reflect.deleteProperty(spec, key);
      return [];
    }
    const wanted = text(spec['clusterIP']) || (strings(spec['clusterIPs'])[0] ?? '');
    if (wanted === '') {
      const ip = this.#allocator.freeIp(store);
      if (ip === undefined) return [field.internal('spec.clusterIPs', 'range is full')];
      spec['clusterIP'] = ip;
    } else {
      spec['clusterIP'] = wanted;
      if (wanted !== 'None' && wanted !== text(oldSpec['clusterIP'])) {
        const errors = this.#takeIp(store, wanted);
        if (errors.length > 0) return errors;
      }
    }
    spec['clusterIPs'] = [spec['clusterIP']];
    spec['ipFamilies'] ??= ['IPv4'];
    spec['ipFamilyPolicy'] ??= 'SingleStack';
    const exposed =
      type === 'NodePort' || (type === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false);
    return exposed ? this.#allocatePorts(spec, oldSpec, store) : [];
  }

  #takeIp(store: StrategyContext['store'], ip: string): FieldError[] {
    const failed = (why: string): FieldError[] => [
      field.invalid('spec.clusterIPs', [ip], `failed to allocate IP ${ip}: ${why}`),
    ];
    if (!this.#allocator.inRange(ip)) return failed('the provided IP is not in the valid range');
    return this.#allocator.takeIp(store, ip) ? [] : failed('provided IP is already allocated');
  }

  #allocatePorts(spec: MutableRecord, oldSpec: MutableRecord, store: StrategyContext['store']): FieldError[] {
    const own = new Set(records(oldSpec['ports']).map(({ nodePort }) => number(nodePort)));
    return records(spec['ports']).flatMap((port, index) => {
      const wanted = number(port['nodePort']);
      const path = `spec.ports[${index}].nodePort`;
      if (wanted === undefined || wanted === 0) {
        const free = this.#allocator.freePort(store);
        if (free === undefined) return [field.internal(path, 'range is full')];
        port['nodePort'] = free;
        return [];
      }
      if (own.has(wanted) || this.#allocator.takePort(store, wanted)) return [];
      return [field.invalid(path, wanted, 'provided port is already allocated')];
    });
  }
}

/** Since Kubernetes 1.34 a service's name is a DNS label that may begin with a digit. */
function serviceNameProblems(name: string): string[] {
  return /^\d/.test(name) ? dns1123LabelProblems(name) : dns1035LabelProblems(name);
}

/** What a PUT may leave out. Source: registry/core/service patchAllocatedValues. */
function carryOver(draft: Draft, old: KubeObject): void {
  const spec = record(draft['spec']);
  const oldSpec = record(old['spec']);
  if (spec['type'] === 'ExternalName' || oldSpec['type'] === 'ExternalName') return;
  if (text(spec['clusterIP']) === '' && strings(spec['clusterIPs']).length === 0) {
    for (const key of ['clusterIP', 'clusterIPs']) if (oldSpec[key] !== undefined) spec[key] = oldSpec[key];
  }
  for (const key of ['ipFamilies', 'ipFamilyPolicy']) spec[key] ??= oldSpec[key];
  if (spec['type'] !== 'NodePort' && spec['type'] !== 'LoadBalancer') {
    for (const port of records(spec['ports'])) delete port['nodePort'];
    return;
  }
  for (const port of records(spec['ports'])) {
    const before = records(oldSpec['ports']).find(
      (other) => other['port'] === port['port'] && other['protocol'] === port['protocol'],
    );
    if (before?.['nodePort'] !== undefined) port['nodePort'] ??= before['nodePort'];
  }
}

function immutableErrors(draft: Draft, old: KubeObject): FieldError[] {
  const spec = record(draft['spec']);
  const oldSpec = record(old['spec']);
  const oldIp = text(oldSpec['clusterIP']);
  if (oldSpec['type'] === 'ExternalName' || spec['type'] === 'ExternalName' || oldIp === '') return [];
  const ip = text(spec['clusterIP']) || (strings(spec['clusterIPs'])[0] ?? '');
  return ip === oldIp
    ? []
    : [field.invalid('spec.clusterIPs[0]', spec['clusterIPs'] ?? [ip], 'may not change once set')];
}

/** Services; addresses come from `allocator`. */
export function serviceResource(allocator: ServiceAllocator): ResourceDefinition {
  return builtIn({
    kind: 'Service',
    resource: 'services',
    shortNames: ['svc'],
    categories: ['all'],
    strategy: new ServiceHooks(allocator).strategy(),
    fieldNames: ['spec.clusterIP', 'spec.type'],
    fields: (object) => {
      const spec = record(object['spec']);
      return { 'spec.clusterIP': text(spec['clusterIP']), 'spec.type': text(spec['type']) };
    },
    table: servicePrinter,
    subresources: [
      {
        name: 'proxy',
        verbs: ['create', 'delete', 'get', 'patch', 'update'],
        responseKind: { group: '', version: '', kind: 'ServiceProxyOptions' },
        behaviour: { type: 'connect' },
      },
      statusSubresource(),
    ],
  });
}
