import { parse } from 'yaml';

/**
 * Reads YAML without aliases: a few lines of them can stand for gigabytes. A file of its own, since the package is not small
 * and rarely used, and only what is imported by name can be found in it once it is bundled.
 * @throws Error what is wrong, and where
 */
export function readYaml(text: string): unknown {
  return parse(text, { maxAliasCount: 0 }) as unknown;
}
