import type { ResourceDefinition } from '../registry/definition.ts';
import { collectionPath, WRITE_PARAMETERS } from './paths.ts';
import { bytesField, message } from './wire-writer.ts';

/** The media type in which clients ask for the document; older and newer spelling. */
export const V2_MEDIA_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * The OpenAPI v2 document that kubectl wants before it creates or applies anything. It says which kinds can be
 * patched, and that dry runs and validation are the server's; it defines no schemas. A kubectl that finds none
 * validates nothing by itself, and merges by the rules that it was built with, which are the right ones.
 * Source of the numbers: github.com/google/gnostic-models openapiv2/OpenAPIv2.proto.
 */
export function openApiV2(definitions: readonly ResourceDefinition[], version: string): Buffer {
  const patchable = definitions.filter(({ verbs }) => verbs.includes('patch'));
  const info = message(bytesField(1, 'Kubernetes'), bytesField(2, version));
  const paths = patchable.map((definition) => {
    const item = message(bytesField(8, patchOperation(definition)));
    const named = message(bytesField(1, `${collectionPath(definition)}/{name}`), bytesField(2, item));
    return bytesField(2, named);
  });
  return message(bytesField(1, '2.0'), bytesField(2, info), bytesField(8, message(...paths)));
}

function patchOperation({ group, version, kind }: ResourceDefinition): Buffer {
  const parameters = WRITE_PARAMETERS.map((name) => {
    const query = message(bytesField(2, 'query'), bytesField(4, name));
    // ParametersItem.parameter → Parameter.non_body_parameter → NonBodyParameter.query_parameter_sub_schema
    return bytesField(8, bytesField(1, bytesField(2, bytesField(3, query))));
  });
  const yaml = `group: ${JSON.stringify(group)}\nkind: ${kind}\nversion: ${version}\n`;
  const extension = message(
    bytesField(1, 'x-kubernetes-group-version-kind'),
    bytesField(2, message(bytesField(2, yaml))),
  );
  return message(...parameters, bytesField(13, extension));
}
