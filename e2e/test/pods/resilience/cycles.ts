import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { randomBelow, type Random } from '@hawser/seams';
import { eventually, scaled } from '@hawser/seams/testing';
import { RESOURCES } from '@hawser/kube';
import { configMap } from '../../../src/cluster-site/site-objects.ts';
import { isReady, shellPod, type SeenPod } from '../../../src/pods-site/pods-site.ts';
import { sameView } from '../../spine/same-view.ts';
import { STAYS } from './kinds.ts';
import { FORGOTTEN_BY_CONTAINERD, SOON_MS, statusIn, type ResilienceSite } from './resilience-site.ts';

const CYCLES = Number(process.env['HAWSER_CYCLES'] ?? scaled(8, 200));
const MOST_PODS = 8;
const MOST_STEPS = 4;

/** A pod that is wanted. */
interface Wanted {
  readonly name: string;
  /** What its file is to say. */
  text: string;
  /** The container that was killed, at most once: the second time there would be a back-off. */
  killed: boolean;
  /** The container that runs, once that was seen. */
  id: string | undefined;
}

/** The line is cut and restored again and again, while both sides change. */
export function describeCycles(open: () => ResilienceSite, random: Random): void {
  describe(`after ${CYCLES} cuts with changes on both sides`, () => {
    it('converges each time, and rebuilds nothing that nobody touched', async () => {
      const site = open();
      const run = new Run(site, random);
      for (let cycle = 0; cycle < CYCLES; cycle++) {
        try {
          await run.cycle();
        } catch (cause) {
          throw new Error(`cycle ${cycle}: ${run.said.join(', ')}: ${(cause as Error).message}`, { cause });
        }
      }
      await site.clear(FORGOTTEN_BY_CONTAINERD);
    });
  });
}

class Run {
  /** What was done in this cycle. */
  said: string[] = [];
  readonly #site: ResilienceSite;
  readonly #random: Random;
  readonly #pods = new Map<string, Wanted>();
  /** Deleted while the line was cut: the node cannot know. */
  readonly #deleted = new Map<string, string>();
  #made = 0;

  constructor(site: ResilienceSite, random: Random) {
    this.#site = site;
    this.#random = random;
  }

  async cycle(): Promise<void> {
    this.said = [];
    const { link } = this.#site.pods.cluster;
    const before = new Map([...this.#pods].map(([name, { id }]) => [name, id]));
    const touched = new Set<string>();
    const isCut = randomBelow(this.#random, 5) > 0;
    if (isCut) await link.cut();
    for (let steps = 1 + randomBelow(this.#random, MOST_STEPS); steps > 0; steps--) await this.#step(touched);
    if (isCut) await this.#keepsWhatWasDeleted();
    await link.heal();
    await this.#converges();
    for (const [name, { id }] of this.#pods)
      if (before.get(name) !== undefined && !touched.has(name))
        assert.equal(id, before.get(name), `${name} was rebuilt though nobody touched it`);
  }

  async #step(touched: Set<string>): Promise<void> {
    const { cluster, containerd, edge } = this.#site.pods;
    const pod = [...this.#pods.values()][randomBelow(this.#random, Math.max(this.#pods.size, 1))];
    const dice = randomBelow(this.#random, 12);
    if (pod === undefined || (dice < 4 && this.#pods.size < MOST_PODS)) {
      await this.#create();
    } else if (dice < 6) {
      this.said.push(`delete ${pod.name}`);
      this.#pods.delete(pod.name);
      if (pod.id !== undefined) this.#deleted.set(pod.name, pod.killed ? '' : pod.id);
      await cluster.objects.remove(RESOURCES.pods, [pod.name]);
    } else if (dice < 8) {
      pod.text = `text ${randomBelow(this.#random, 1e6)}`;
      this.said.push(`change ${pod.name}`);
      await cluster.objects.setText([pod.name], pod.text);
    } else if (dice < 10) {
      if (pod.id === undefined || pod.killed) return;
      this.said.push(`kill a container of ${pod.name}`);
      pod.killed = true;
      touched.add(pod.name);
      await this.#site.killContainer(pod.id);
    } else if (dice === 10) {
      const how = randomBelow(this.#random, 2) === 0 ? 'kill' : 'stop';
      this.said.push(`${how} the edge`);
      await edge[how]();
      await edge.start();
    } else {
      this.said.push('kill containerd');
      await containerd.kill();
      await containerd.start();
    }
  }

  async #create(): Promise<void> {
    const name = `cycle-${this.#made++}`;
    this.said.push(`create ${name}`);
    const pod: Wanted = { name, text: `text of ${name}`, killed: false, id: undefined };
    this.#pods.set(name, pod);
    await this.#site.create(configMap(name, pod.text));
    await this.#site.create(
      shellPod(name, STAYS, {
        spec: { volumes: [{ name: 'config', configMap: { name } }] },
        container: {
          volumeMounts: [{ name: 'config', mountPath: '/config' }],
          readinessProbe: { exec: { command: ['cat', '/config/text'] }, periodSeconds: 5 },
        },
      }),
    );
  }

  /** The node ends nothing before it is told to. */
  async #keepsWhatWasDeleted(): Promise<void> {
    const running = await this.#site.running();
    for (const [name, id] of this.#deleted)
      if (id !== '')
        assert.equal(running.get(`${name}/main`), id, `${name} was ended before anybody said so`);
  }

  async #converges(): Promise<void> {
    const { cluster, edge } = this.#site.pods;
    this.#deleted.clear();
    await edge.untilInSync(SOON_MS);
    await edge.until(({ outbox }) => outbox.waiting === 0, SOON_MS);
    let different: readonly string[] = [];
    try {
      await eventually(
        'everything is as it should be',
        async () => {
          different = await this.#differences();
          return different.length === 0;
        },
        { deadlineMs: SOON_MS, intervalMs: 50 },
      );
    } catch (cause) {
      throw new Error(different.join('\n'), { cause });
    }
    await sameView(cluster, edge, SOON_MS);
  }

  /** What the API, the runtime and the files say otherwise than it was wanted. Notes the containers. */
  async #differences(): Promise<readonly string[]> {
    const { cluster, edge } = this.#site.pods;
    const found: string[] = [];
    const all = (await cluster.objects.list(RESOURCES.pods)) as readonly SeenPod[];
    const inApi = new Map(all.map((pod) => [pod.metadata.name ?? '', pod]));
    const running = await this.#site.running();
    for (const name of inApi.keys()) if (!this.#pods.has(name)) found.push(`the API has ${name}`);
    for (const key of running.keys())
      if (!this.#pods.has(key.slice(0, key.indexOf('/')))) found.push(`the runtime has ${key}`);
    for (const pod of this.#pods.values()) {
      const { name, text, killed } = pod;
      const seen = inApi.get(name);
      const id = running.get(`${name}/main`);
      if (seen === undefined || id === undefined || !isReady(seen)) {
        found.push(`${name} is not ready: ${JSON.stringify(seen?.status?.containerStatuses)}`);
        continue;
      }
      const { containerID, restartCount } = statusIn(seen);
      if (containerID !== `containerd://${id}`)
        found.push(`${name} runs ${id}, the API says ${containerID ?? ''}`);
      if (killed && restartCount === 0) found.push(`the API does not say that ${name} was restarted`);
      const folder = path.join(this.#site.pods.podDir(seen.metadata.uid ?? ''), 'volumes');
      const file = path.join(folder, 'kubernetes.io~configmap', 'config', 'text');
      const is = await readFile(file, 'utf8').catch((error: unknown) => String(error));
      if (is !== text) found.push(`the file of ${name} says "${is}" instead of "${text}"`);
      pod.id = id;
    }
    const folders = await readdir(path.join(edge.dataDir, 'pods'));
    const uids = new Set(all.map(({ metadata }) => metadata.uid));
    for (const uid of folders) if (!uids.has(uid)) found.push(`there is a folder of ${uid}`);
    return found;
  }
}
