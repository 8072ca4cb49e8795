import type { ErrorObject } from 'ajv';

/**
 * An error of `anyOf` or `oneOf` comes with the errors of all its branches. As the API server does, only those of
 * the best branch are kept: the one with the fewest. What lies inside `not` says nothing.
 */
export function bestBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const compositions = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  if (compositions.length === 0) return errors;
  const best = new Map(compositions.map((composition) => [composition, bestBranch(composition, errors)]));
  return errors.filter((error) =>
    compositions.every((composition) => {
      const branch = branchOf(error, composition);
      return branch === undefined || branch === best.get(composition);
    }),
  );
}

function bestBranch(composition: ErrorObject, errors: readonly ErrorObject[]): number | undefined {
  const counts = new Map<number, number>();
  for (const error of errors) {
    const branch = branchOf(error, composition);
    if (branch !== undefined) counts.set(branch, (counts.get(branch) ?? 0) + 1);
  }
  return [...counts].sort((left, right) => left[1] - right[1] || left[0] - right[0])[0]?.[0];
}

/** Which branch of a composition an error is from; undefined: of none. */
function branchOf(error: ErrorObject, composition: ErrorObject): number | undefined {
  const prefix = `${composition.schemaPath}/`;
  if (error === composition || !error.schemaPath.startsWith(prefix)) return undefined;
  const { instancePath } = composition;
  if (error.instancePath !== instancePath && !error.instancePath.startsWith(`${instancePath}/`))
    return undefined;
  return Number(error.schemaPath.slice(prefix.length).split('/')[0]);
}
