import type { Clock } from '@hawser/seams';
import { field } from '../../status/field-error.ts';
import { goJson } from '../../status/go-format.ts';
import { invalid } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import { decodeFailure, decodeObject, strictFindings } from '../body/decode-object.ts';
import { parseBody, type ParsedBody } from '../body/parse-body.ts';
import type { Draft } from '../draft.ts';
import type { ResourceDefinition, StrategyContext, SubresourceBehaviour } from '../registry/definition.ts';
import type { Registry } from '../registry/registry.ts';
import { entryJson } from '../rest/object-json.ts';
import type { ObjectWriter, UpdateRequest } from '../rest/object-writer.ts';
import { patchType, type Patcher } from '../rest/patching.ts';
import { decodeScale, scaled, scaleOf } from '../rest/scale.ts';
import { DecodeError } from '../types/scalars.ts';
import { checkNames } from './names-of-request.ts';
import { ObjectAnswer } from './object-answer.ts';
import { writeOptions, type WriteOptions } from './query-options.ts';
import type { RequestContext } from './request-context.ts';

/** What updates need. */
export interface UpdateDependencies {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly patcher: Patcher;
}

type Updatable = Extract<SubresourceBehaviour, { type: 'part' | 'scale' }>;

/** Serves PUT and PATCH of objects, their status and their scale. */
export class UpdateHandler {
  readonly #writer: ObjectWriter;
  readonly #dependencies: UpdateDependencies;

  constructor(writer: ObjectWriter, dependencies: UpdateDependencies) {
    this.#writer = writer;
    this.#dependencies = dependencies;
  }

  /**
   * Answers a PUT or PATCH.
   * @throws StatusError
   */
  async handle(
    context: RequestContext,
    definition: ResourceDefinition,
    behaviour: Updatable,
    subresource: string,
  ): Promise<void> {
    const isPatch = context.info.verb === 'patch';
    const options = isPatch ? this.#patchOptions(context) : writeOptions(context.query, 'UpdateOptions');
    const transform = isPatch
      ? await this.#patch(context, definition, behaviour, options)
      : await this.#put(context, definition, behaviour, options);
    const { info } = context;
    const request: UpdateRequest = {
      namespace: definition.namespaced ? info.namespace : '',
      name: info.name,
      subresource,
      strategy: behaviour.type === 'part' ? behaviour.strategy : definition.strategy,
      transform,
      uidIsPrecondition: !isPatch,
      needsVersion: !isPatch && behaviour.type === 'part',
      mayCreate: !isPatch && subresource === '' && definition.strategy.allowCreateOnUpdate === true,
    };
    const strategyContext: StrategyContext = {
      user: context.user,
      now: context.now,
      store: this.#dependencies.store,
      dryRun: options.dryRun,
      warn: (text) => context.respond.warnings.add(text),
    };
    const { object, entry, created } = await this.#writer.update(definition, request, strategyContext);
    const answer = new ObjectAnswer(context, definition, this.#dependencies.clock.wallMs());
    const code = created ? 201 : 200;
    if (behaviour.type === 'scale') await answer.scale(code, behaviour.scale, object);
    else
      await answer.object(code, object, entry === undefined ? undefined : () => entryJson(definition, entry));
  }

  #patchOptions(context: RequestContext): WriteOptions {
    const isApply = (context.request.headers['content-type'] ?? '').startsWith('application/apply-patch');
    return writeOptions(context.query, 'PatchOptions', isApply);
  }

  async #put(
    context: RequestContext,
    definition: ResourceDefinition,
    behaviour: Updatable,
    options: WriteOptions,
  ): Promise<UpdateRequest['transform']> {
    const kind = behaviour.type === 'scale' ? 'Scale' : definition.kind;
    const struct = behaviour.type === 'scale' ? 'Scale' : definition.struct;
    const body = parseBody(await context.body(), context.request.headers['content-type'], kind, struct);
    const { namespace, name } = context.info;
    const decode = (): Draft => {
      const draft =
        behaviour.type === 'scale'
          ? decodeScaleBody(definition, body)
          : decodeObject(definition, body, {
              fieldValidation: options.fieldValidation,
              registry: this.#dependencies.registry,
              warn: (text) => context.respond.warnings.add(text),
            });
      checkNames(definition, draft, { namespace, name });
      return draft;
    };
    const first = decode();
    return (current) => {
      const draft = current === undefined ? first : structuredClone(first);
      return behaviour.type === 'scale' && current !== undefined
        ? scaled(behaviour.scale, current, draft)
        : draft;
    };
  }

  async #patch(
    context: RequestContext,
    definition: ResourceDefinition,
    behaviour: Updatable,
    options: WriteOptions,
  ): Promise<UpdateRequest['transform']> {
    const type = patchType(definition, context.request.headers['content-type']);
    const raw = await context.body();
    const { namespace, name } = context.info;
    return (current) => {
      if (current === undefined) throw new TypeError('a patch never creates');
      const shown =
        behaviour.type === 'scale'
          ? scaleOf(behaviour.scale, current.object)
          : definition.codec.encode(current.object);
      const patched = this.#dependencies.patcher.apply(type, shown, raw);
      const unknown: string[] = [];
      let draft: Draft;
      try {
        draft =
          behaviour.type === 'scale'
            ? decodeScale(patched, unknown)
            : definition.codec.decode(patched, unknown);
      } catch (error) {
        if (error instanceof DecodeError) throw badPatch(patched, error.message);
        throw error;
      }
      this.#reportUnknown(context, definition, unknown, patched, options);
      if (behaviour.type === 'part') definition.strategy.default?.(draft);
      checkNames(definition, draft, { namespace, name });
      return behaviour.type === 'scale' ? scaled(behaviour.scale, current, draft) : draft;
    };
  }

  #reportUnknown(
    context: RequestContext,
    definition: ResourceDefinition,
    unknown: readonly string[],
    patched: object,
    { fieldValidation }: WriteOptions,
  ): void {
    if (fieldValidation === 'Ignore' || unknown.length === 0) return;
    const problems = strictFindings(definition, { json: undefined }, unknown);
    if (fieldValidation === 'Strict')
      throw badPatch(patched, `strict decoding error: ${problems.join(', ')}`);
    for (const problem of problems) context.respond.warnings.add(problem);
  }
}

function decodeScaleBody(definition: ResourceDefinition, body: ParsedBody): Draft {
  try {
    return decodeScale(body.value, []);
  } catch (error) {
    throw decodeFailure({ ...definition, kind: 'Scale' }, body.value, error);
  }
}

/** 422 for a patch whose result is no object of the kind. Source: apiserver handlers/patch.go. */
function badPatch(patched: object, reason: string): Error {
  return invalid({ group: '', kind: '' }, '', [field.invalid('patch', goJson(patched), reason)]);
}
