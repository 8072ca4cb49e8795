// docs/reference/edgecore-config.md, from EDGE_OPTIONS of edgecore/src/config/options.ts.
import { GENERATED, load, table } from './sources.js';

const code = (text) => (text === '' ? '' : `\`${text}\``);

/** @returns {Promise<string>} the page */
export async function edgecoreConfigPage() {
  const { EDGE_OPTIONS } = await load('edgecore/src/config/options.ts');
  const { optionRows } = await load('edgecore/src/config/option.ts');
  const rows = optionRows(EDGE_OPTIONS).map(({ path, default: value, unit, range, meaning, flag }) => [
    code(path),
    code(value),
    unit,
    range,
    code(flag),
    meaning,
  ]);
  return `${GENERATED}

# Configuration of edgecore

A YAML file, \`/etc/hawser/edgecore.yaml\` unless \`--config\` says otherwise; \`hawser join\` writes it. Every option
has a default; options that are not known are refused, all problems at once with their paths. A flag counts more than
the file. How the parts work together is in [the edge core](../edgecore.md).

${table(['option', 'default', 'unit', 'value', 'flag', 'meaning'], rows)}
`;
}
