import type { PodView, RecentEvent } from '@hawser/edgecore/admin';
import { table } from '../output/table.ts';
import { formatAge } from './age.ts';
import { containerLines } from './describe-container.ts';
import { entryLines, pairs } from './indented.ts';

type PodVolume = NonNullable<PodView['pod']['spec']['volumes']>[number];

/** A pod for people, as `kubectl describe pod` shows it. */
export function describeText(view: PodView, nowMs: number): string {
  const { pod, status } = view;
  const { metadata, spec } = pod;
  const owners = metadata.ownerReferences?.map(({ kind, name }) => `${kind}/${name}`);
  return [
    ...entryLines([
      ['Name', metadata.name],
      ['Namespace', metadata.namespace],
      ['UID', metadata.uid],
      ['Service Account', spec.serviceAccountName],
      ['Node', view.node],
      ['Start Time', status?.startTime],
      ['Labels', pairs(metadata.labels)],
      ['Annotations', pairs(metadata.annotations)],
      ['Deletion', metadata.deletionTimestamp],
      ['Status', view.state === view.phase ? view.phase : `${view.phase} (${view.state})`],
      ['Reason', status?.reason],
      ['Message', status?.message],
      ['IPs', status?.podIPs?.map(({ ip }) => ip)],
      ['Controlled By', owners],
      ['QoS Class', status?.qosClass],
    ]),
    ...containersSection('Init Containers', view, true),
    ...containersSection('Containers', view, false),
    ...conditionsSection(view),
    ...volumesSection(spec.volumes ?? []),
    ...eventsSection(view.events, nowMs),
  ].join('\n');
}

function containersSection(title: string, { pod, status }: PodView, isInit: boolean): string[] {
  const containers = (isInit ? pod.spec.initContainers : pod.spec.containers) ?? [];
  if (containers.length === 0) return [];
  const statuses = (isInit ? status?.initContainerStatuses : status?.containerStatuses) ?? [];
  return [
    `${title}:`,
    ...containers.flatMap((container) =>
      containerLines(
        container,
        statuses.find(({ name }) => name === container.name),
      ),
    ),
  ];
}

function conditionsSection({ status }: PodView): string[] {
  if (status === undefined) return ['Conditions:  <none>'];
  const rows = status.conditions.map(
    ({ type, status: value, lastTransitionTime, reason = '', message = '' }) => [
      ...[`  ${type}`, value, lastTransitionTime],
      [reason, message].filter((text) => text !== '').join(': '),
    ],
  );
  return ['Conditions:', table([['  TYPE', 'STATUS', 'SINCE', 'WHY'], ...rows])];
}

function volumesSection(volumes: readonly PodVolume[]): string[] {
  if (volumes.length === 0) return ['Volumes:  <none>'];
  const rows = volumes.map((volume) => [`  ${volume.name}`, ...sourceOf(volume)]);
  return ['Volumes:', table([['  NAME', 'KIND', 'FROM'], ...rows])];
}

function sourceOf(volume: PodVolume): readonly [kind: string, from: string] {
  const { configMap, secret, hostPath, emptyDir, persistentVolumeClaim } = volume;
  if (configMap !== undefined) return ['ConfigMap', configMap.name ?? ''];
  if (secret !== undefined) return ['Secret', secret.secretName ?? ''];
  if (hostPath !== undefined) return ['HostPath', hostPath.path];
  if (emptyDir !== undefined) return ['EmptyDir', emptyDir.medium ?? 'disk'];
  if (persistentVolumeClaim !== undefined) return ['Claim', persistentVolumeClaim.claimName];
  return [Object.keys(volume).find((key) => key !== 'name') ?? '', ''];
}

function eventsSection(events: readonly RecentEvent[], nowMs: number): string[] {
  if (events.length === 0) return ['Events:  <none> since edgecore was started'];
  const rows = events.map(({ type, reason, count, firstTimestamp, lastTimestamp, message, fieldPath }) => {
    const last = formatAge(lastTimestamp, nowMs);
    const age = count > 1 ? `${last} (x${count} over ${formatAge(firstTimestamp, nowMs)})` : last;
    return [`  ${type}`, reason, age, fieldPath === undefined ? message : `${message} [${fieldPath}]`];
  });
  return ['Events:', table([['  TYPE', 'REASON', 'AGE', 'MESSAGE'], ...rows])];
}
