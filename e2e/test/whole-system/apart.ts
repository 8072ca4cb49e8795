import assert from 'node:assert/strict';
import { configMap } from '../../src/cluster-site/site-objects.ts';
import { unmountBelow } from '../../src/cluster-site/unmount-below.ts';
import { untilSeen } from '../../src/whole-site/until-seen.ts';
import { APP_REPLICAS, DEVICE, SETTINGS } from '../../src/whole-site/whole-objects.ts';
import type { WholeMember } from '../../src/whole-site/whole-member.ts';
import type { WholeSite } from '../../src/whole-site/whole-site.ts';
import type { Steps } from './steps.ts';
import {
  addressesInRuntime,
  endpoints,
  filesInContainers,
  idsInRuntime,
  register,
  setDesired,
  turn,
  untilEndpoints,
  untilReportedAtNode,
  untilRunning,
} from './views.ts';

/** What goes on, and comes back, while no node reaches the cloud. */
export function describeApart(steps: Steps): void {
  steps.step('the line is cut: each node says so, and the local API answers', async (site) => {
    const before = await endpoints(site, site.kitchen);
    await site.cluster.link.cut();
    for (const member of site.members) await untilApart(member);
    const { code, stdout } = await site.kitchen.hawser(['status']);
    assert.equal(code, 3, 'a node without a cloud has a problem');
    assert.match(stdout, /NOT connected/);
    assert.equal(before.length, APP_REPLICAS);
    await untilEndpoints(site, site.members, before);
  });

  steps.step('a container that is killed comes back', async (site) => {
    const before = await idsInRuntime(site);
    const [[name, id] = ['', '']] = [...before];
    await site.containerd.ctr(['tasks', 'kill', '--signal', 'SIGKILL', id]);
    const after = await untilRunning(site, (ids) => ids.size === APP_REPLICAS && ids.get(name) !== id);
    for (const [key, kept] of before)
      if (key !== name) assert.equal(after.get(key), kept, `${key} was restarted, too`);
    await untilSeen(
      'the node says that it was restarted',
      async () => (await site.kitchen.edge.admin.pods()).items,
      (pods) => pods.some((pod) => name.startsWith(`${pod.name}/`) && pod.restarts === 1),
    );
  });

  steps.step('the device goes on: its values are followed, and it is set at the node', async (site) => {
    await turn(site, 'level', 601);
    await untilReportedAtNode(site, 'level', '601');
    await site.kitchen.hawserOk(['device', 'set', DEVICE, 'valve=55']);
    assert.equal(await register(site, 'valve'), 55, 'hawser device set has said that it was set');
  });

  steps.step('a leader that is killed is replaced, and comes back as a follower', async (site) => {
    const apart = await site.untilLed(site.members, { is: () => true });
    const others = site.members.filter((member) => member !== apart);
    const before = await endpoints(site, apart);
    await apart.edge.kill();
    const next = await site.untilLed(others, { not: apart.name, is: ({ provisional }) => provisional });
    assert.ok(others.includes(next));
    await untilEndpoints(site, others, before);
    await apart.start();
    assert.equal(await site.untilLed(site.members, { is: () => true }), next);
    await untilEndpoints(site, [apart], before);
  });

  steps.step('the power of a node is cut: pods and twins come back from its disk', async (site) => {
    const { edge } = site.kitchen;
    await whatTheCloudWantsMeanwhile(site);
    const before = await idsInRuntime(site);
    await edge.kill();
    await site.containerd.powerCut();
    await unmountBelow(edge.dataDir);
    await turn(site, 'level', 602);
    await site.containerd.start();
    await site.kitchen.start();
    const after = await untilRunning(site, (ids) => ids.size === APP_REPLICAS);
    assert.deepEqual([...after.keys()], [...before.keys()], 'other pods than before');
    for (const [key, id] of after) assert.notEqual(id, before.get(key), `${key} has outlived a power cut`);
    assert.deepEqual(await filesInContainers(site), ['second', 'second']);
    await untilReportedAtNode(site, 'level', '602');
    await untilReportedAtNode(site, 'valve', '55');
    assert.deepEqual([await register(site, 'speed'), await register(site, 'valve')], [20, 55]);
    await untilApart(site.kitchen);
    // Pods have other addresses now, and the other members hear so from their node.
    await untilEndpoints(site, site.members, await untilAddresses(site));
  });
}

/** Waits until a node says that it has no session. */
async function untilApart({ name, edge }: WholeMember): Promise<void> {
  await untilSeen(
    `${name} has no session`,
    async () => (await edge.admin.status()).session,
    ({ state }) => state !== 'up',
  );
}

async function untilAddresses(site: WholeSite): Promise<readonly string[]> {
  return untilSeen(
    'the node knows where its pods are',
    () => addressesInRuntime(site),
    (addresses) => addresses.length === APP_REPLICAS && addresses.every((address) => address !== ''),
  );
}

/** What nobody at the edge can know of yet. */
async function whatTheCloudWantsMeanwhile(site: WholeSite): Promise<void> {
  await site.apply(configMap(SETTINGS, 'third'));
  await setDesired(site, '77');
}
