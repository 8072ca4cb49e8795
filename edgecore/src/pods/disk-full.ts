/** Codes that say that a disk, or what one may take of it, is used up: of the system, and of the edge's own store. */
const CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'ERR_EDGE_STORE_FULL']);
/** Of a runtime, which says in words what failed. Source: strerror(3). */
const WORDS = /no space left on device|disk quota exceeded/i;
/** Errors are not followed further than this: a chain may lead back into itself. */
const MOST_CAUSES = 8;

/** Whether an error came about because a disk is full, by itself or by what caused it. */
export function isDiskFull(error: unknown): boolean {
  let each = error;
  for (let depth = 0; depth < MOST_CAUSES && each instanceof Error; depth++) {
    if (CODES.has((each as NodeJS.ErrnoException).code) || WORDS.test(each.message)) return true;
    if (each instanceof AggregateError && each.errors.some((one) => isDiskFull(one))) return true;
    each = each.cause;
  }
  return false;
}
