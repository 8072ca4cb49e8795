const REFERENCE = /\$(?:\$|\(([^)]*)\))/g;

/**
 * Puts values in place of `$(NAME)`. `$$` stands for one `$`, so that `$$(NAME)` is the text `$(NAME)`; what names
 * nothing, is not closed, or is no reference stays as it is. Values are not expanded again.
 * Source: Kubernetes, third_party/forked/golang/expansion; API documentation of `EnvVar.value`.
 */
export function expandVariables(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(REFERENCE, (found, name: string | undefined) =>
    name === undefined ? '$' : (values.get(name) ?? found),
  );
}
