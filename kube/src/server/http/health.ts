import type { PathContext, PathHandler } from './api-handler.ts';

/** A check of the server's health. */
export interface HealthCheck {
  readonly name: string;
  /** Which endpoints run it. */
  readonly endpoints: readonly ('healthz' | 'livez' | 'readyz')[];
  /** Resolves if all is well; what it rejects with is shown to those who ask for details. */
  check(): void | Promise<void>;
}

const PING: HealthCheck = { name: 'ping', endpoints: ['healthz', 'livez', 'readyz'], check: () => {} };
const PATH = /^\/(healthz|livez|readyz)(?:\/([^/]+))?\/?$/;

/** Serves /healthz, /livez and /readyz, each with `?verbose` and each check by its name. */
export class HealthHandler implements PathHandler {
  readonly #checks: readonly HealthCheck[];

  constructor(checks: readonly HealthCheck[]) {
    this.#checks = [PING, ...checks];
  }

  async handle({ path, query, respond }: PathContext): Promise<boolean> {
    const match = PATH.exec(path);
    if (match === null) return false;
    const endpoint = match[1] as 'healthz' | 'livez' | 'readyz'; // the pattern allows no other
    const [, , name] = match;
    const excluded = new Set(query.getAll('exclude'));
    const checks = this.#checks.filter(
      (check) =>
        check.endpoints.includes(endpoint) &&
        !excluded.has(check.name) &&
        (name === undefined || check.name === name),
    );
    if (name !== undefined && checks.length === 0) {
      await respond.text(404, '404 page not found\n');
      return true;
    }
    const lines: string[] = [];
    let failed = false;
    for (const check of checks) {
      const ok = await passes(check);
      failed ||= !ok;
      lines.push(ok ? `[+]${check.name} ok` : `[-]${check.name} failed: reason withheld`);
    }
    if (failed) await respond.text(500, `${lines.join('\n')}\n${endpoint} check failed\n`);
    else if (query.has('verbose')) await respond.text(200, `${lines.join('\n')}\n${endpoint} check passed\n`);
    else await respond.text(200, 'ok');
    return true;
  }
}

async function passes(check: HealthCheck): Promise<boolean> {
  try {
    await check.check();
    return true;
  } catch {
    return false; // the endpoint is open to everybody: it does not say why
  }
}
