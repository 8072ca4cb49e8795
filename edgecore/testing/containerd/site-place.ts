import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startTimeOf } from './machine-processes.ts';
import { runProgram } from './run-program.ts';

/** Sites of this machine, a folder each: what a reboot would clear away. */
export const SITES_DIR = '/run/hawser-sites';
const OWNER_FILE = 'owner.json';
const MOST_SITES = 200;

/** What a site has of the machine. Everything in it is derived from its number. */
export interface SitePlace {
  readonly number: number;
  /** Lives until the next boot: sockets, state. */
  readonly runDir: string;
  /** Stays over a power cut: images, metadata, logs, CNI. */
  readonly dir: string;
  readonly bridge: string;
  readonly network: string;
  /** `10.213.7.0/24`. */
  readonly subnet: string;
  /** For cgroups of pods that are to go with the site: `/hawser-site-7`. */
  readonly cgroupRoot: string;
}

interface Owner {
  readonly pid: number;
  readonly startTime: string | undefined;
  readonly dir: string;
}

/** Takes a place that nobody has. To be called under the machine's lock. */
export async function claimPlace(): Promise<SitePlace> {
  await mkdir(SITES_DIR, { recursive: true, mode: 0o700 });
  const taken = await takenAddresses();
  const used = new Set(await readdir(SITES_DIR));
  for (let number = 1; number <= MOST_SITES; number++) {
    if (used.has(String(number)) || taken.some((prefix) => overlaps(prefix, number))) continue;
    const dir = await mkdtemp(path.join(tmpdir(), `hawser-site-${number}-`));
    const place = placeOf(number, dir);
    await mkdir(place.runDir, { mode: 0o711 });
    const owner: Owner = { pid: process.pid, startTime: startTimeOf(process.pid), dir };
    await writeFile(path.join(place.runDir, OWNER_FILE), JSON.stringify(owner));
    return place;
  }
  throw new Error(`there is no room for another site: see ${SITES_DIR}`);
}

/** Places of sites; stale: those of processes that are gone. To be called under the machine's lock. */
export async function knownPlaces(): Promise<{ readonly place: SitePlace; readonly stale: boolean }[]> {
  const names = await readdir(SITES_DIR).catch(() => []);
  const places = names.map(async (name) => {
    const owner = await readOwner(path.join(SITES_DIR, name, OWNER_FILE));
    // Without an owner: its process was killed between two lines of claimPlace.
    if (owner === undefined) return { place: placeOf(Number(name), ''), stale: true };
    return { place: placeOf(Number(name), owner.dir), stale: startTimeOf(owner.pid) !== owner.startTime };
  });
  return Promise.all(places);
}

/** Gives a place back, once nothing of the site is left. To be called under the machine's lock. */
export async function releasePlace({ dir, runDir }: SitePlace): Promise<void> {
  if (dir !== '') await rm(dir, { recursive: true, force: true });
  await rm(runDir, { recursive: true, force: true });
}

/** Everything in the folder of the run but the file that says whose it is: as after a boot. */
export async function clearRunDir({ runDir }: SitePlace): Promise<void> {
  const names = (await readdir(runDir)).filter((name) => name !== OWNER_FILE);
  for (const name of names) await rm(path.join(runDir, name), { recursive: true, force: true });
}

function placeOf(number: number, dir: string): SitePlace {
  return {
    number,
    dir,
    runDir: path.join(SITES_DIR, String(number)),
    bridge: `hawser-ctr${number}`,
    network: `hawser-site-${number}`,
    subnet: `10.213.${number}.0/24`,
    cgroupRoot: `/hawser-site-${number}`,
  };
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Owner; // written by claimPlace
  } catch {
    return undefined; // not there, or not whole
  }
}

/** Every prefix that the machine has a route to, but for the default ones. */
async function takenAddresses(): Promise<string[]> {
  const routes = JSON.parse(await runProgram('ip', ['-json', '-4', 'route', 'show', 'table', 'all'])) as {
    readonly dst: string;
  }[];
  return routes.map(({ dst }) => dst).filter((dst) => dst !== 'default' && dst !== '0.0.0.0/0');
}

/** Whether `prefix` has addresses of 10.213.`number`.0/24. */
function overlaps(prefix: string, number: number): boolean {
  const [address = '', length = '32'] = prefix.split('/');
  const bits = Math.min(24, Number(length));
  const shift = 2 ** (32 - bits);
  const numberOf = (text: string): number =>
    text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return Math.floor(numberOf(address) / shift) === Math.floor(numberOf(`10.213.${number}.0`) / shift);
}
