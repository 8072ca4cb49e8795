import { internalError } from '../../status/status-errors.ts';
import type { ResourceDefinition, StrategyContext } from '../registry/definition.ts';
import type { ObjectDeleter } from '../rest/object-deleter.ts';
import type { ObjectWriter } from '../rest/object-writer.ts';
import type { RequestContext } from './request-context.ts';

/** What an action may use. */
export interface ActionTools {
  readonly writer: ObjectWriter;
  readonly deleter: ObjectDeleter;
  readonly strategyContext: (dryRun: boolean) => StrategyContext;
}

/**
 * A request that is not plain storage of an object: binding, eviction, tokens, reviews. It answers by itself.
 * @throws StatusError
 */
export type Action = (
  context: RequestContext,
  definition: ResourceDefinition,
  tools: ActionTools,
) => Promise<void>;

/** The actions that definitions name. */
export class Actions {
  readonly #actions: ReadonlyMap<string, Action>;

  constructor(actions: ReadonlyMap<string, Action>) {
    this.#actions = actions;
  }

  /**
   * Runs an action.
   * @throws StatusError InternalError if there is none of that name: a mistake in the definitions.
   */
  async run(
    name: string,
    context: RequestContext,
    definition: ResourceDefinition,
    tools: ActionTools,
  ): Promise<void> {
    const action = this.#actions.get(name);
    if (action === undefined) throw internalError(`no action ${name}`);
    await action(context, definition, tools);
  }
}
