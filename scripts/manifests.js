// npm run manifests: writes packaging/manifests/hawser.yaml from the chart, for clusters without Helm. `--check` writes
// nothing, and exits with 1 when the file is not what it would write.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { renderChart } from './helm.js';
import { root, say } from './run.js';

const PAGE = 'packaging/manifests/hawser.yaml';
const HEAD = `# The cloud side of Hawser as plain objects, made from packaging/chart by \`npm run manifests\`. Before it is applied, put the
# name or address by which edges reach the Service in the place of hub.example.org, which is here twice, and the place
# that \`npm run image\` was pushed to in that of hawser/cloudcore. How, and what else: docs/install-cloud.md.
apiVersion: v1
kind: Namespace
metadata:
  name: hawser-system
  labels:
    pod-security.kubernetes.io/enforce: restricted
`;

/** What the file is to be. */
export async function plainManifests() {
  const apart = ['--set', 'mapperSchemas.create=false']; // packaging/mapper-schemas has them
  const rendered = (await renderChart(['--set', 'advertise={hub.example.org}', ...apart]))
    // Nobody would write it anew: a rollout is restarted by hand.
    .replace(/^ *# Another configuration makes other pods\.\n *checksum\/config: .*\n/m, '');
  return `${HEAD}${rendered.replaceAll(/\n{2,}/g, '\n').replaceAll(/---\n(?=---\n)/g, '')}`;
}

if (process.argv[1] === import.meta.filename) {
  const file = path.join(root, PAGE);
  const text = await plainManifests();
  if (process.argv.includes('--check')) {
    if (readFileSync(file, 'utf8') !== text) {
      say(`${PAGE} is not what the chart says any more. Run \`npm run manifests\`, and commit the result.`);
      process.exitCode = 1;
    }
  } else {
    writeFileSync(file, text);
    say(`wrote ${PAGE}`);
  }
}
