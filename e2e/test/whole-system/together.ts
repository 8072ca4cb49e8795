import assert from 'node:assert/strict';
import { differences, wantedView } from '../../src/cluster-site/wanted-view.ts';
import { reportedValue, type SeenDevice } from '../../src/devices-site/device-objects.ts';
import { isReady, type SeenPod } from '../../src/pods-site/pods-site.ts';
import { untilSeen } from '../../src/whole-site/until-seen.ts';
import { APP, APP_REPLICAS, probePod, SHELF, SHELF_REPLICAS } from '../../src/whole-site/whole-objects.ts';
import type { WholeMember } from '../../src/whole-site/whole-member.ts';
import type { WholeSite } from '../../src/whole-site/whole-site.ts';
import {
  addressesInRuntime,
  device,
  filesInContainers,
  idsInApi,
  idsInRuntime,
  nameOf,
  podsOf,
  turn,
  untilEndpoints,
  untilPodsReady,
  untilRegister,
  untilReported,
} from './views.ts';
import type { Steps } from './steps.ts';

/** What the wanted view of a test does not tell of: what pools and devices are, which is compared by itself. */
const COMPARED_APART = /^\S+( \S+)* (poolmemberships|devices|devicemodels)\./;
const PROBE = 'probe';

/** After the line is back: everybody says the same, and nothing was done twice. */
export function describeTogether(steps: Steps): void {
  steps.step('the line is back: all agree, and nothing was made anew', async (site) => {
    const uids = await uidsOf(site);
    const ids = await idsInRuntime(site);
    await site.cluster.link.heal();
    for (const { edge } of site.members) await edge.untilInSync(60_000);
    await untilConverged(site);
    await untilSeen(
      'the files have what the cloud has wanted meanwhile',
      () => filesInContainers(site),
      (files) => files.length === APP_REPLICAS && files.every((text) => text === 'third'),
    );
    await untilRegister(site, 'speed', 77);
    await untilRegister(site, 'valve', 55);
    await untilReported(site, 'level', '602');
    await untilDesiredIsReported(site);
    // What was wanted of the node before this pod has been done by the time that it runs.
    await site.apply(probePod(PROBE, site.kitchen.name));
    await untilSeen('a pod more is ready', () => site.get<SeenPod>('pod', PROBE), isReady);
    assert.deepEqual(await idsInRuntime(site), ids, 'a container was made anew');
    assert.deepEqual(await uidsOf(site), uids, 'a pod was replaced');
    await untilConverged(site);
  });

  steps.step('a node that is revoked is out, and the others go on', async (site) => {
    const [outcast, ...others] = [...site.members].reverse();
    assert.ok(outcast !== undefined);
    const sessions = await sessionsOf(others);
    await site.hawser.ok(['node', 'revoke', outcast.name, '--yes']);
    await untilRefused(outcast);
    await outcast.hawserOk(['reconnect']);
    await untilRefused(outcast);
    const listed = await site.hawser.ok(['node', 'list']);
    assert.match(listed, new RegExp(`^${outcast.name} +revoked`, 'm'));
    assert.equal((await outcast.hawser(['status'])).code, 3);
    const leader = await site.untilLed(others);
    assert.ok(others.includes(leader));
    await turn(site, 'level', 603);
    await untilReported(site, 'level', '603');
    await untilEndpoints(site, others, await addressesInRuntime(site));
    const [pod] = await untilPodsReady(site, APP, APP_REPLICAS);
    assert.ok(pod !== undefined);
    assert.match(await site.kubectl.ok(['logs', nameOf(pod)]), /^begun with /);
    assert.deepEqual(await sessionsOf(others), sessions, 'another node has lost its session');
  });
}

/** Waits until API, nodes and runtime say the same of each pod, and no node has anything left to say. */
export async function untilConverged(site: WholeSite): Promise<void> {
  await untilPodsReady(site, APP, APP_REPLICAS);
  await untilPodsReady(site, SHELF, SHELF_REPLICAS);
  await untilSeen(
    'all agree',
    () => disagreements(site),
    (found) => found.length === 0,
  );
  await site.untilLed(site.members, { is: ({ provisional, state }) => !provisional && state === 'LIVE' });
  await untilEndpoints(site, site.members, await addressesInRuntime(site));
}

/** What one of them has otherwise than another, a line each. */
async function disagreements(site: WholeSite): Promise<readonly string[]> {
  const found: string[] = [];
  const [inApi, inRuntime] = [idsInApi(await podsOf(site, APP)), await idsInRuntime(site)];
  for (const [key, id] of inRuntime)
    if (inApi.get(key) !== id)
      found.push(`${key} runs as ${id}, the API says ${inApi.get(key) ?? 'nothing'}`);
  if (inApi.size !== inRuntime.size) found.push(`${inApi.size} in the API, ${inRuntime.size} run`);
  for (const { name, edge } of site.members) {
    const view = differences(await edge.objects(), await wantedView(site.cluster.objects, name));
    found.push(...view.filter((line) => !COMPARED_APART.test(line)).map((line) => `${name} ${line}`));
    const { outbox, problems } = await edge.admin.status();
    if (outbox.waiting > 0) found.push(`${outbox.waiting} reports of ${name} wait`);
    found.push(...problems.map(({ message }) => `${name}: ${message}`));
  }
  return found;
}

/** Waits until the API shows of each property what was wanted of it. */
export async function untilDesiredIsReported(site: WholeSite): Promise<void> {
  const isSo = (seen: SeenDevice): boolean =>
    (seen.spec.properties ?? []).every(
      ({ name, desired }) => desired === undefined || reportedValue(seen, name) === desired.value,
    );
  await untilSeen('what is wanted of the device is reported', () => device(site), isSo);
}

/** UIDs of all pods, as kubectl shows them. */
export async function uidsOf(site: WholeSite): Promise<readonly string[]> {
  const pods = [...(await podsOf(site, APP)), ...(await podsOf(site, SHELF))];
  return pods.map((pod) => `${nameOf(pod)} ${pod.metadata.uid ?? ''}`);
}

/** Sessions of nodes by their ids. */
async function sessionsOf(members: readonly WholeMember[]): Promise<readonly (string | undefined)[]> {
  const statuses = await Promise.all(members.map(({ edge }) => edge.admin.status()));
  return statuses.map(({ session }) => session.current?.id);
}

/** Waits until a node has no session, and has been told why. */
async function untilRefused({ name, edge }: WholeMember): Promise<void> {
  await untilSeen(
    `${name} is refused`,
    async () => (await edge.admin.status()).session,
    ({ state, lastError }) => state !== 'up' && /REVOKED|REJECTED/.test(lastError?.code ?? ''),
  );
}
