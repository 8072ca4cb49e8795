import type { Problem } from '@hawser/devices';
import { DeviceValidator } from '../devices/validate-device.ts';
import type { Driver } from '../driver.ts';
import { readManifest, type ManifestDevice } from './manifest.ts';

/** What was found out about a file. */
export interface ManifestVerdict {
  /** For people: a line for each device and each problem. */
  readonly lines: readonly string[];
  readonly ok: boolean;
}

/**
 * Looks at the devices in a file as the edge core and the mapper would. Devices of other protocols are passed over.
 * @throws MapperError `ERR_MAPPER_MANIFEST`
 */
export async function checkManifest(driver: Driver, file: string): Promise<ManifestVerdict> {
  const validator = new DeviceValidator(driver);
  const lines: string[] = [];
  let ok = true;
  for (const device of await readManifest(file)) {
    const verdict = await problemsOf(driver, validator, device);
    if (typeof verdict === 'string') lines.push(`Device ${device.id}: ${verdict}`);
    else {
      ok = false;
      const problems = `${verdict.length} ${verdict.length === 1 ? 'problem' : 'problems'}`;
      lines.push(`Device ${device.id}: ${problems}`);
      for (const { path, message, remedy } of verdict) lines.push(`  ${path} ${message}. ${remedy}`);
    }
  }
  return { lines, ok };
}

/** @returns a text where nothing is wrong */
async function problemsOf(
  driver: Driver,
  validator: DeviceValidator,
  { binding }: ManifestDevice,
): Promise<string | readonly Problem[]> {
  const { device, problems } = binding;
  if (device === undefined) return problems;
  if (device.protocol !== driver.protocol) return `speaks ${device.protocol}: passed over`;
  const validated = await validator.validate(device);
  if (!validated.ok) return validated.problems;
  const count = device.properties.length;
  return `valid, ${count} ${count === 1 ? 'property' : 'properties'}`;
}
