// What esbuild does with our compiled sources besides joining them: see bundle.js.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);
const OURS = /[\\/](?:devices|edgecore|kube|proto|seams|sync)[\\/]dist[\\/]src[\\/].*\.js$/;
const IMPORT = /^import \{([^}]*)\} from ['"](@hawser\/[a-z]+)['"];$/gm;
const EXPORT = /^export \{([^}]*)\} from ['"](\.[^'"]+)['"];$/gm;
/** An option of the configuration up to its description, and that; a flag's is what `--help` prints. */
const OPTION = /(\bkind: (?:(?!\bkind: )[^])*?\bmeaning: )('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g;
const MEANING = /(\bmeaning:\s+)('(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")/g;

/** Names that the braces of an import or export list: `a, b as c`. */
function names(list) {
  return list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map((item) => item.split(/\s+as\s+/));
}

/** Files of a package's index by the names that they export: `[file, name in the file]`. */
async function filesOf(index) {
  const text = await readFile(index, 'utf8');
  const files = new Map();
  for (const [, list, file] of text.matchAll(EXPORT)) {
    for (const [inside, outside = inside] of names(list)) {
      files.set(outside, [path.resolve(path.dirname(index), file), inside]);
    }
  }
  return files;
}

/**
 * Imports from the index of one of our packages become imports from the files that have what is named. esbuild puts
 * whatever an index exports, and is used anywhere, where every part loads it that imports from that index; an edge
 * that has no pool would have what only pools need.
 */
export const directImports = {
  name: 'direct-imports',
  setup(build) {
    const indexes = new Map();
    build.onLoad({ filter: OURS }, async ({ path: file }) => {
      const text = withoutTexts(file, await readFile(file, 'utf8'));
      const found = new Set([...text.matchAll(IMPORT)].map(([, , name]) => name));
      for (const name of found) indexes.set(name, indexes.get(name) ?? filesOf(require.resolve(name)));
      const files = new Map();
      for (const name of found) files.set(name, await indexes.get(name));
      const contents = text.replace(IMPORT, (whole, list, name) => {
        const lines = names(list).map(([imported, local = imported]) => {
          const [from, inside] = files.get(name).get(imported) ?? [];
          return from && `import { ${inside} as ${local} } from ${JSON.stringify(from)};`;
        });
        return lines.includes(undefined) ? whole : lines.join('');
      });
      return { contents, resolveDir: path.dirname(file) };
    });
  },
};

/** What options, limits and error codes mean is for the documentation, and for what checks the configuration. */
function withoutTexts(file, text) {
  if (/[\\/](?:errors|limits)\.js$/.test(file)) return text.replace(MEANING, "$1''");
  if (!/[\\/]config[\\/](?:[a-z-]+-)?options\.js$/.test(file)) return text;
  return text.replace(OPTION, (whole, option) => (/\bflag: /.test(option) ? whole : `${option}''`));
}
