import type { NodeScope } from './node-scope.ts';

/** Lets scopes tell their listeners what has changed, once for all that happens in one turn. */
export class ChangeNotifier {
  readonly #waiting = new Set<NodeScope>();
  #scheduled = false;

  schedule(scope: NodeScope): void {
    this.#waiting.add(scope);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const scope of waiting) scope.flush();
  }
}
