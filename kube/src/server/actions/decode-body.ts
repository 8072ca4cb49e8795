import { decodeFailure } from '../body/decode-object.ts';
import { parseBody } from '../body/parse-body.ts';
import type { Draft } from '../draft.ts';
import type { RequestContext } from '../http/request-context.ts';
import type { ResourceDefinition } from '../registry/definition.ts';
import { decodeTyped } from '../registry/typed-codec.ts';

/**
 * Reads the body of an action's request as a struct.
 * @throws StatusError BadRequest, UnsupportedMediaType.
 */
export async function decodeBody(
  context: RequestContext,
  definition: ResourceDefinition,
  type: { struct: string; kind: string; apiVersion: string },
): Promise<Draft> {
  const body = parseBody(
    await context.body(),
    context.request.headers['content-type'],
    type.kind,
    type.struct,
  );
  try {
    return decodeTyped(type.struct, type.kind, type.apiVersion, body.value, []);
  } catch (error) {
    throw decodeFailure({ ...definition, kind: type.kind }, body.value, error);
  }
}
