import type { ContentKey } from '@hawser/sync';
import type { Dice } from './dice.ts';
import type { ApiObject, PodFields } from './sim-cluster.ts';
import type { SimEdge } from './sim-edge.ts';
import type { SimPods } from './sim-pods.ts';
import type { Simulation } from './simulation.ts';

/** How likely each of these is, relative to the other actions. */
export const POD_WEIGHTS = {
  changeImage: 8,
  exitContainer: 8,
  killSandbox: 3,
  powerCut: 4,
  failRuntime: 4,
  slowRuntime: 3,
  deafen: 2,
  forceDelete: 2,
} as const;

export type PodAction = keyof typeof POD_WEIGHTS;

/** What happens to pods and the machines that they run on. */
export class PodActions {
  readonly #simulation: Simulation;
  readonly #dice: Dice;

  constructor(simulation: Simulation, dice: Dice) {
    this.#simulation = simulation;
    this.#dice = dice;
  }

  /** What a new pod is made of. */
  newPod(): PodFields {
    const dice = this.#dice;
    const isJob = dice.chance(0.25);
    const restartPolicy = isJob ? (dice.chance(0.5) ? 'Never' : 'OnFailure') : 'Always';
    const images = Array.from({ length: dice.chance(0.2) ? 2 : 1 }, () => this.#image(restartPolicy));
    return { images, restartPolicy };
  }

  do(action: PodAction, edge: SimEdge): void {
    const { pods } = edge;
    if (pods === undefined) return;
    const dice = this.#dice;
    switch (action) {
      case 'changeImage':
        this.#changeImage();
        return;
      case 'exitContainer':
        this.#exit(pods);
        return;
      case 'killSandbox': {
        const pod = dice.pick(pods.machine.pods.all());
        if (pod !== undefined) pods.machine.killSandbox(pod.uid);
        return;
      }
      case 'powerCut':
        this.#powerCut(edge, pods);
        return;
      case 'failRuntime':
        pods.faults = dice.chance(0.4) ? 0 : dice.between(0.05, 0.5);
        return;
      case 'slowRuntime':
        pods.slowMs = dice.chance(0.4) ? 0 : dice.between(10, 3_000);
        return;
      case 'deafen':
        pods.deafness = dice.chance(0.5) ? 0 : 1;
        return;
      case 'forceDelete': {
        const pod = dice.pick(this.#pods());
        if (pod !== undefined) this.#simulation.cluster.remove(pod.key);
        return;
      }
    }
  }

  /** One that fails again and again would never be quiet. */
  #image(restartPolicy: PodFields['restartPolicy']): string {
    const dice = this.#dice;
    const exitCode = restartPolicy === 'Never' && dice.chance(0.3) ? 1 : 0;
    const ends = restartPolicy === 'Always' ? '' : `/ends-${dice.below(40_000)}-${exitCode}`;
    const stops = dice.chance(0.5) ? `/stops-${dice.below(8_000)}` : '';
    return `registry.example/app-${dice.below(1_000)}${ends}${stops}`;
  }

  #changeImage(): void {
    const pod = this.#dice.pick(this.#pods().filter(({ restartPolicy }) => restartPolicy === 'Always'));
    if (pod?.images === undefined || pod.deleting) return;
    const images = pod.images.map((image) => (this.#dice.chance(0.7) ? this.#image('Always') : image));
    this.#simulation.cluster.put(pod.key, { images });
  }

  #exit({ machine }: SimPods): void {
    const running = this.#dice.pick(machine.running);
    const [uid = '', name = ''] = running?.split('/') ?? [];
    machine.exitOf(uid, name, { exitCode: this.#dice.pick([0, 1, 137]) ?? 1 });
  }

  #powerCut(edge: SimEdge, { machine }: SimPods): void {
    const { time, checker, release } = this.#simulation;
    edge.crash();
    checker.restarted(edge);
    machine.powerCut(this.#dice.chance(0.5));
    time.setTimer(this.#dice.between(10, 15_000), () => edge.start(release));
  }

  #pods(): readonly (ApiObject & { readonly key: ContentKey })[] {
    return [...this.#simulation.cluster.objects.values()].filter(({ key }) => key.startsWith('pods/'));
  }
}
