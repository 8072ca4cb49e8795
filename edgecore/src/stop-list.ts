/** What has to be undone at a stop, last first. */
export class StopList {
  readonly #steps: (() => Promise<void> | void)[] = [];

  /** Adds a step; it will run before those added earlier. */
  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /** Runs every step, whatever fails, and forgets them. @throws AggregateError of what failed */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (const step of this.#steps.splice(0).reverse()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'the edge core did not stop cleanly');
  }
}
