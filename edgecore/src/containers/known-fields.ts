/** Fields by name: `true` for what is not looked into, a table for objects and lists of objects. */
interface Fields {
  readonly [name: string]: true | Fields;
}

/** Names that are not looked into. */
function leaves(names: string): Fields {
  return Object.fromEntries(names.split(' ').map((name) => [name, true]));
}

const HANDLER: Fields = {
  exec: leaves('command'),
  httpGet: leaves('path port host scheme httpHeaders'),
  tcpSocket: leaves('port host'),
};
const PROBE: Fields = {
  ...HANDLER,
  grpc: leaves('port service'),
  ...leaves(
    'initialDelaySeconds timeoutSeconds periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds',
  ),
};
const HOOK: Fields = { ...HANDLER, sleep: leaves('seconds') };
const PROFILES: Fields = {
  seccompProfile: leaves('type localhostProfile'),
  appArmorProfile: leaves('type localhostProfile'),
  seLinuxOptions: leaves('user role type level'),
  windowsOptions: true,
};
const CONTAINER: Fields = {
  ...leaves('name image command args workingDir imagePullPolicy stdin stdinOnce tty'),
  ...leaves('terminationMessagePath terminationMessagePolicy restartPolicy restartPolicyRules resizePolicy'),
  ports: leaves('name hostPort containerPort protocol hostIP'),
  envFrom: {
    prefix: true,
    configMapRef: leaves('name optional'),
    secretRef: leaves('name optional'),
  },
  env: {
    ...leaves('name value'),
    valueFrom: {
      fieldRef: leaves('apiVersion fieldPath'),
      resourceFieldRef: leaves('containerName resource divisor'),
      configMapKeyRef: leaves('name key optional'),
      secretKeyRef: leaves('name key optional'),
      fileKeyRef: true,
    },
  },
  resources: leaves('limits requests claims'),
  volumeMounts: leaves('name readOnly recursiveReadOnly mountPath subPath mountPropagation subPathExpr'),
  volumeDevices: leaves('name devicePath'),
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  startupProbe: PROBE,
  lifecycle: { postStart: HOOK, preStop: HOOK, stopSignal: true },
  securityContext: {
    ...PROFILES,
    ...leaves('runAsUser runAsGroup runAsNonRoot privileged readOnlyRootFilesystem allowPrivilegeEscalation'),
    procMount: true,
    capabilities: leaves('add drop'),
  },
};
/** Volumes have one field beside their name, their source: those that are not known are refused elsewhere. */
const SPEC: Fields = {
  containers: CONTAINER,
  initContainers: CONTAINER,
  securityContext: {
    ...PROFILES,
    ...leaves('runAsUser runAsGroup runAsNonRoot supplementalGroups supplementalGroupsPolicy'),
    ...leaves('fsGroup fsGroupChangePolicy seLinuxChangePolicy'),
    sysctls: leaves('name value'),
  },
  dnsConfig: { ...leaves('nameservers searches'), options: leaves('name value') },
  hostAliases: leaves('ip hostnames'),
  ...leaves('ephemeralContainers volumes restartPolicy terminationGracePeriodSeconds activeDeadlineSeconds'),
  ...leaves('dnsPolicy hostNetwork hostPID hostIPC hostUsers shareProcessNamespace hostname subdomain'),
  ...leaves('hostnameOverride setHostnameAsFQDN serviceAccountName serviceAccount'),
  ...leaves('automountServiceAccountToken enableServiceLinks imagePullSecrets readinessGates priority'),
  ...leaves('priorityClassName overhead runtimeClassName os resourceClaims resources'),
  // Of these a node has nothing to do: they are the scheduler's, or the cloud's.
  ...leaves('nodeName nodeSelector affinity tolerations schedulerName schedulingGates preemptionPolicy'),
  ...leaves('topologySpreadConstraints workloadRef'),
};

/** Most fields that are named. */
const MAX_NAMED = 16;

/**
 * The fields of a pod's spec that this release does not know: those of an API server that is newer. They are ignored,
 * and its owner is told. Fields that are known and not supported are not among them: for them a pod is refused.
 * @returns paths such as `containers[0].securityContext.gpuProfile`, at most 16, in the order of the spec
 * Source: Kubernetes API v1.36, core/v1 PodSpec.
 */
export function unknownFields(spec: object): readonly string[] {
  const found: string[] = [];
  walk(spec, SPEC, '', found);
  return found;
}

function walk(value: unknown, fields: Fields, at: string, found: string[]): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => walk(item, fields, `${at}[${index}]`, found));
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (found.length >= MAX_NAMED) return;
    const path = at === '' ? name : `${at}.${name}`;
    const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (known === undefined) found.push(path);
    else if (known !== true) walk(inner, known, path, found);
  }
}
