import type { StepState } from './state.ts';

/** How far the demonstration is. */
export class Progress {
  #steps: readonly StepState[];
  #hints: readonly string[] = [];

  /** @param names of all parts, in their order */
  constructor(names: readonly string[]) {
    this.#steps = names.map((name) => ({ name, state: 'open' }));
  }

  get steps(): readonly StepState[] {
    return this.#steps;
  }

  /** What to type in another terminal. */
  get hints(): readonly string[] {
    return this.#hints;
  }

  set hints(lines: readonly string[]) {
    this.#hints = lines;
  }

  set(name: string, state: StepState['state']): void {
    this.#steps = this.#steps.map((step) => (step.name === name ? { name, state } : step));
  }
}
