import { readConfigFile } from '@hawser/cloudcore/admin';
import { stringify } from 'yaml';
import { CliError } from '../errors.ts';
import { HUB_PORT } from './address.ts';
import { isThere, type ConfigPlan } from './cloudcore-config.ts';

const HEADER = `# Values for the chart of Hawser (packaging/chart/hawser), made by \`hawser init\`. It may be edited: it is not written again.
# helm install hawser packaging/chart/hawser --namespace hawser-system --values THIS-FILE
`;
/** What `hawser init` makes, and the chart would too. */
const MADE = ['rbac', 'mapperSchemas', 'hubAddress'] as const;

/**
 * Looks what is to become of a file with values for the chart; writes nothing. A file that is there stays as it is.
 * @throws CliError `ERR_CLI_USAGE` where nobody has said how edges reach the hub: the names of this machine are not
 *   those of a Service; CloudCoreError `ERR_CLOUDCORE_CONFIG` for a file that is no YAML
 */
export async function planChartValues(
  file: string,
  advertise: readonly string[] | undefined,
): Promise<ConfigPlan> {
  if (advertise === undefined) {
    const message = '--chart-values needs --advertise: the name or address by which edges reach the Service';
    throw new CliError('ERR_CLI_USAGE', message, { about: '--advertise' });
  }
  if (!(await isThere(file))) {
    const made = Object.fromEntries(MADE.map((name) => [name, { create: false }]));
    const text = `${HEADER}${stringify({ advertise, ...made })}`;
    return { result: 'created', warnings: [], text, port: HUB_PORT, advertise };
  }
  const { advertise: written } = await readConfigFile(file);
  const missing = advertise.filter((name) => !Array.isArray(written) || !written.includes(name));
  if (missing.length === 0) return { result: 'unchanged', warnings: [], port: HUB_PORT, advertise };
  const warning = `${file} is there and stays; its \`advertise\` lacks ${missing.join(', ')}`;
  return { result: 'kept', warnings: [warning], port: HUB_PORT, advertise };
}
