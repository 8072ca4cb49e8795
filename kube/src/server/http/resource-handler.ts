import type { Clock, Random } from '@hawser/seams';
import type { JsonObject } from '../../meta/json.ts';
import { badRequest, methodNotAllowed, noSuchResource, notFound } from '../../status/status-errors.ts';
import type { ObjectStore } from '../../store/store.ts';
import type { AdmissionPlugin } from '../admission/admission.ts';
import { decodeObject, type DecodeSettings } from '../body/decode-object.ts';
import { parseBody } from '../body/parse-body.ts';
import type { ResourceDefinition, StrategyContext, SubresourceDefinition } from '../registry/definition.ts';
import { subresourceOf, type Registry } from '../registry/registry.ts';
import { deleteOptions } from '../rest/delete-options.ts';
import { entryJson, listJson } from '../rest/object-json.ts';
import { ObjectDeleter, type DeleteResult } from '../rest/object-deleter.ts';
import { ObjectLister, parseVersion } from '../rest/object-lister.ts';
import { keyOf, ObjectWriter } from '../rest/object-writer.ts';
import type { Actions } from './actions.ts';
import type { ConnectHandler } from './connect.ts';
import { checkNames } from './names-of-request.ts';
import { ObjectAnswer } from './object-answer.ts';
import { listOptions, writeOptions, type WriteOptions } from './query-options.ts';
import type { RequestContext } from './request-context.ts';
import { UpdateHandler } from './update-handler.ts';
import type { WatchHandler } from './watch-handler.ts';
import type { Patcher } from '../rest/patching.ts';

/** What serving resources needs. */
export interface ResourceHandlerDependencies {
  readonly store: ObjectStore;
  readonly registry: Registry;
  readonly plugins: readonly AdmissionPlugin[];
  readonly clock: Clock;
  readonly random: Random;
  readonly patcher: Patcher;
  readonly watches: WatchHandler;
  readonly actions: Actions;
  /** Log, exec and the like; absent: they are refused. */
  readonly connect: ConnectHandler | undefined;
}

/** Serves the paths of resources. */
export class ResourceHandler {
  readonly #dependencies: ResourceHandlerDependencies;
  readonly #writer: ObjectWriter;
  readonly #deleter: ObjectDeleter;
  readonly #lister: ObjectLister;
  readonly #updates: UpdateHandler;

  constructor(dependencies: ResourceHandlerDependencies) {
    const { store, plugins, random, clock } = dependencies;
    this.#dependencies = dependencies;
    this.#writer = new ObjectWriter({ store, plugins, random });
    this.#deleter = new ObjectDeleter({ store, plugins, random });
    this.#lister = new ObjectLister(store, clock);
    this.#updates = new UpdateHandler(this.#writer, dependencies);
  }

  /**
   * Answers a request.
   * @throws StatusError for the caller to answer.
   */
  async handle(context: RequestContext): Promise<void> {
    const { info } = context;
    const definition = this.#dependencies.registry.find(info.group, info.version, info.resource);
    if (definition === undefined) throw noSuchResource();
    if (definition.deprecationWarning !== undefined)
      context.respond.warnings.add(definition.deprecationWarning);
    if (!definition.namespaced && info.namespace !== '' && info.resource !== 'namespaces')
      throw noSuchResource();
    if (info.subresource !== '') {
      const subresource = subresourceOf(definition, info.subresource);
      if (subresource === undefined) throw noSuchResource();
      await this.#subresource(context, definition, subresource);
      return;
    }
    if (definition.namespaced && info.namespace === '') {
      if (info.name !== '') throw noSuchResource();
      if (info.verb !== 'list' && info.verb !== 'watch') throw methodNotAllowed();
    }
    if (!definition.verbs.includes(info.verb)) throw methodNotAllowed();
    if (info.verb === 'create' && info.name !== '') throw methodNotAllowed();
    if (info.name === '' && (info.verb === 'update' || info.verb === 'patch')) throw methodNotAllowed();
    await this.#verb(context, definition);
  }

  async #verb(context: RequestContext, definition: ResourceDefinition): Promise<void> {
    switch (context.info.verb) {
      case 'get':
        await this.#get(context, definition);
        return;
      case 'list':
        await this.#list(context, definition);
        return;
      case 'watch':
        await this.#dependencies.watches.watch(context, definition, this.#reader(context));
        return;
      case 'create':
        await this.#create(context, definition);
        return;
      case 'update':
      case 'patch':
        await this.#updates.handle(context, definition, { type: 'part', strategy: definition.strategy }, '');
        return;
      case 'delete':
        await this.#delete(context, definition);
        return;
      case 'deletecollection':
        await this.#deleteCollection(context, definition);
        return;
      default:
        throw methodNotAllowed();
    }
  }

  async #subresource(
    context: RequestContext,
    definition: ResourceDefinition,
    subresource: SubresourceDefinition,
  ): Promise<void> {
    const { verb } = context.info;
    if (!subresource.verbs.includes(verb)) throw methodNotAllowed();
    const { behaviour } = subresource;
    switch (behaviour.type) {
      case 'connect': {
        const { connect } = this.#dependencies;
        if (connect === undefined) throw badRequest(`${subresource.name} is not available on this server`);
        await connect.request(context, this.#entry(context, definition).object, subresource.name);
        return;
      }
      case 'action':
        await this.#dependencies.actions.run(behaviour.action, context, definition, {
          writer: this.#writer,
          deleter: this.#deleter,
          strategyContext: (dryRun) => this.#strategyContext(context, dryRun),
        });
        return;
      case 'part':
      case 'scale':
        if (verb !== 'get') await this.#updates.handle(context, definition, behaviour, subresource.name);
        else if (behaviour.type === 'part') await this.#get(context, definition);
        else
          await new ObjectAnswer(context, definition, this.#nowMs()).scale(
            200,
            behaviour.scale,
            this.#entry(context, definition).object,
          );
    }
  }

  async #get(context: RequestContext, definition: ResourceDefinition): Promise<void> {
    const version = parseVersion(context.query.get('resourceVersion') ?? '');
    if (version > 0) await this.#reader(context).waitFor(definition, version, context.signal);
    const entry = this.#entry(context, definition);
    await new ObjectAnswer(context, definition, this.#nowMs()).object(200, entry.object, () =>
      entryJson(definition, entry),
    );
  }

  #entry(
    { info, store }: RequestContext,
    definition: ResourceDefinition,
  ): NonNullable<ReturnType<ObjectStore['get']>> {
    const namespace = definition.namespaced ? info.namespace : '';
    const entry = store.get(keyOf(definition, namespace, info.name));
    if (entry === undefined) throw notFound(definition, info.name);
    return entry;
  }

  async #list(context: RequestContext, definition: ResourceDefinition): Promise<void> {
    const options = listOptions(context.query, false);
    const answer = new ObjectAnswer(context, definition, this.#nowMs());
    answer.checkQuery();
    const namespace = definition.namespaced ? context.info.namespace : '';
    const reader = this.#reader(context);
    const { entries, metadata } = await reader.list(definition, namespace, options, context.signal);
    await answer.list(entries, metadata);
  }

  #reader({ store }: RequestContext): ObjectLister {
    return store === this.#dependencies.store
      ? this.#lister
      : new ObjectLister(store, this.#dependencies.clock);
  }

  async #create(context: RequestContext, definition: ResourceDefinition): Promise<void> {
    const options = writeOptions(context.query, 'CreateOptions');
    if (definition.action !== undefined) {
      await this.#dependencies.actions.run(definition.action, context, definition, {
        writer: this.#writer,
        deleter: this.#deleter,
        strategyContext: (dryRun) => this.#strategyContext(context, dryRun),
      });
      return;
    }
    const body = parseBody(
      await context.body(),
      context.request.headers['content-type'],
      definition.kind,
      definition.struct,
    );
    const draft = decodeObject(definition, body, this.#decodeSettings(context, options));
    const { namespace } = context.info;
    checkNames(definition, draft, { namespace, name: undefined });
    const result = await this.#writer.create(
      definition,
      definition.namespaced ? namespace : '',
      draft,
      this.#strategyContext(context, options.dryRun),
    );
    const { entry } = result;
    await new ObjectAnswer(context, definition, this.#nowMs()).object(
      201,
      result.object,
      entry === undefined ? undefined : () => entryJson(definition, entry),
    );
  }

  async #delete(context: RequestContext, definition: ResourceDefinition): Promise<void> {
    const options = deleteOptions(await this.#deleteBody(context), context.query);
    const { info } = context;
    const place = { namespace: definition.namespaced ? info.namespace : '', name: info.name };
    const strategyContext = this.#strategyContext(context, options.dryRun);
    const result = await this.#deleter.delete(definition, place, options, strategyContext);
    await this.#answerDelete(context, definition, result);
  }

  async #answerDelete(
    context: RequestContext,
    definition: ResourceDefinition,
    { object, removed }: DeleteResult,
  ): Promise<void> {
    if (!removed || definition.strategy.returnDeletedObject === true) {
      await new ObjectAnswer(context, definition, this.#nowMs()).object(200, object);
      return;
    }
    const { name, uid } = object.metadata;
    const group = definition.group === '' ? {} : { group: definition.group };
    const details = { name, ...group, kind: definition.resource, uid };
    const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
    await context.respond.object(200, status, context.representation);
  }

  async #deleteCollection(context: RequestContext, definition: ResourceDefinition): Promise<void> {
    const body = await this.#deleteBody(context);
    const options = deleteOptions(body, context.query);
    const list = listOptions(context.query, false);
    const namespace = definition.namespaced ? context.info.namespace : '';
    const { entries, metadata } = await this.#lister.list(definition, namespace, list, context.signal);
    for (const { key } of entries) {
      try {
        await this.#deleter.delete(definition, key, options, this.#strategyContext(context, options.dryRun));
      } catch (error) {
        if (!isNotFound(error)) throw error; // somebody else was faster
      }
    }
    await context.respond.object(200, listJson(definition, entries, metadata), context.representation);
  }

  async #deleteBody(context: RequestContext): Promise<JsonObject | undefined> {
    const raw = await context.body();
    if (raw.length === 0) return undefined;
    const { value } = parseBody(
      raw,
      context.request.headers['content-type'],
      'DeleteOptions',
      'DeleteOptions',
    );
    return value;
  }

  #decodeSettings(context: RequestContext, { fieldValidation }: WriteOptions): DecodeSettings {
    const { registry } = this.#dependencies;
    return { fieldValidation, registry, warn: (text) => context.respond.warnings.add(text) };
  }

  #strategyContext(context: RequestContext, dryRun: boolean): StrategyContext {
    const { store } = this.#dependencies;
    const { user, now } = context;
    return { user, now, store, dryRun, warn: (text) => context.respond.warnings.add(text) };
  }

  #nowMs(): number {
    return this.#dependencies.clock.wallMs();
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_KUBE_NOT_FOUND';
}
