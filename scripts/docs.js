// npm run docs: writes the pages that are made from code (PAGES below). `--check` compiles and writes nothing, and
// exits with 1 when a page is not what it would write.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { decisionsPage } from './docs/decisions.js';
import { benchmarksPage } from './docs/benchmarks.js';
import { cliPage } from './docs/cli.js';
import { cloudcoreConfigPage } from './docs/cloudcore-config.js';
import { edgecoreConfigPage } from './docs/edgecore-config.js';
import { errorsPage } from './docs/errors.js';
import { limitsPage } from './docs/limits.js';
import { mapperSchemaPages } from './docs/mapper-schemas.js';
import { metricsPage } from './docs/metrics.js';
import { mustRun, root, say } from './run.js';

const PAGES = {
  'docs/decisions.md': decisionsPage,
  'docs/benchmarks.md': benchmarksPage,
  'docs/errors.md': errorsPage,
  'docs/reference/tunnel-limits.md': limitsPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/cloudcore-config.md': cloudcoreConfigPage,
  'docs/reference/edgecore-config.md': edgecoreConfigPage,
  'docs/reference/cli.md': cliPage,
};

const checking = process.argv.includes('--check');
if (!checking) await mustRun('compiling', process.execPath, ['node_modules/typescript/bin/tsc', '-b']);

const stale = [];
for (const [page, make] of Object.entries({ ...PAGES, ...(await mapperSchemaPages()) })) {
  const file = path.join(root, page);
  const text = await format(await make(), {
    ...(await resolveConfig(file)),
    parser: page.endsWith('.yaml') ? 'yaml' : 'markdown',
  });
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue;
  if (checking) {
    stale.push(page);
    continue;
  }
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  say(`wrote ${page}`);
}

if (stale.length > 0) {
  say(`not what the code says any more: ${stale.join(', ')}. Run \`npm run docs\`, and commit the result.`);
  process.exitCode = 1;
}
