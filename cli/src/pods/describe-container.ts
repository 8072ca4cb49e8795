import type { PodView } from '@hawser/edgecore/admin';
import { entryLines, pairs, type Entry } from './indented.ts';

type Container = PodView['pod']['spec']['containers'][number];
type Status = NonNullable<PodView['status']>['containerStatuses'][number];
type Probe = NonNullable<Container['livenessProbe']>;
type EnvVar = NonNullable<Container['env']>[number];

/** A container of a pod, and how it is; indented. */
export function containerLines(container: Container, status: Status | undefined): string[] {
  const { ports = [], resources, env = [], envFrom = [], volumeMounts = [] } = container;
  const entries: Entry[] = [
    ['Container ID', status?.containerID],
    ['Image', container.image],
    ['Image ID', status?.imageID === '' ? undefined : status?.imageID],
    ['Ports', ports.length === 0 ? undefined : ports.map(portText)],
    ['Command', container.command],
    ['Args', container.args],
    ['State', stateTexts(status?.state ?? { waiting: { reason: 'unknown' } })],
    ['Last State', isEmpty(status?.lastState) ? undefined : stateTexts(status?.lastState ?? {})],
    ['Ready', status === undefined ? undefined : String(status.ready)],
    ['Restarts', status === undefined ? undefined : String(status.restartCount)],
    ['Limits', present(pairs(resources?.limits))],
    ['Requests', present(pairs(resources?.requests))],
    ['Liveness', probeText(container.livenessProbe)],
    ['Readiness', probeText(container.readinessProbe)],
    ['Startup', probeText(container.startupProbe)],
    [
      'Environment From',
      present(envFrom.map(({ configMapRef, secretRef }) => sourceText(configMapRef, secretRef))),
    ],
    ['Environment', present(env.map(envText))],
    [
      'Mounts',
      present(
        volumeMounts.map(
          ({ mountPath, name, readOnly, subPath }) =>
            `${mountPath} from ${name}${subPath === undefined ? '' : `/${subPath}`} (${readOnly === true ? 'ro' : 'rw'})`,
        ),
      ),
    ],
  ];
  return [`  ${container.name}:`, ...entryLines(entries, '    ')];
}

function present(lines: readonly string[]): readonly string[] | undefined {
  return lines.length === 0 ? undefined : lines;
}

function isEmpty(state: Status['lastState'] | undefined): boolean {
  return state === undefined || Object.keys(state).length === 0;
}

function portText({
  containerPort,
  protocol = 'TCP',
  hostPort,
  name,
}: NonNullable<Container['ports']>[number]): string {
  const named = name === undefined ? '' : ` (${name})`;
  return `${containerPort}/${protocol}${named}${hostPort === undefined ? '' : `, host port ${hostPort}`}`;
}

function stateTexts({ waiting, running, terminated }: Status['state']): readonly string[] {
  if (running !== undefined) return [`Running since ${running.startedAt}`];
  if (terminated !== undefined) {
    const { reason, exitCode, startedAt = '?', finishedAt = '?', message } = terminated;
    return [
      `Terminated: ${reason}, exit code ${exitCode}`,
      `from ${startedAt} to ${finishedAt}`,
      ...(message === undefined ? [] : message.trimEnd().split('\n')),
    ];
  }
  return [`Waiting: ${waiting?.reason ?? '?'}`, ...(waiting?.message === undefined ? [] : [waiting.message])];
}

function probeText(probe: Probe | undefined): string | undefined {
  if (probe === undefined) return undefined;
  const { exec, httpGet, tcpSocket, grpc } = probe;
  const what =
    exec !== undefined
      ? `exec [${(exec.command ?? []).join(' ')}]`
      : httpGet !== undefined
        ? `http-get ${(httpGet.scheme ?? 'HTTP').toLowerCase()}://${httpGet.host ?? ''}:${httpGet.port}${httpGet.path ?? '/'}`
        : tcpSocket !== undefined
          ? `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port}`
          : `grpc :${grpc?.port ?? '?'} ${grpc?.service ?? ''}`.trimEnd();
  const { initialDelaySeconds = 0, timeoutSeconds = 1, periodSeconds = 10 } = probe;
  const { successThreshold = 1, failureThreshold = 3 } = probe;
  return `${what} delay=${initialDelaySeconds}s timeout=${timeoutSeconds}s period=${periodSeconds}s #success=${successThreshold} #failure=${failureThreshold}`;
}

function sourceText(
  configMap: { readonly name?: string } | undefined,
  secret: { readonly name?: string } | undefined,
): string {
  return configMap === undefined ? `Secret ${secret?.name ?? ''}` : `ConfigMap ${configMap.name ?? ''}`;
}

function envText({ name, value, valueFrom }: EnvVar): string {
  if (valueFrom === undefined) return `${name}=${value ?? ''}`;
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef } = valueFrom;
  if (fieldRef !== undefined) return `${name} from ${fieldRef.fieldPath}`;
  if (resourceFieldRef !== undefined) return `${name} from ${resourceFieldRef.resource}`;
  if (configMapKeyRef !== undefined) {
    return `${name} from key ${configMapKeyRef.key} of ConfigMap ${configMapKeyRef.name ?? ''}`;
  }
  return `${name} from key ${secretKeyRef?.key ?? ''} of Secret ${secretKeyRef?.name ?? ''}`;
}
