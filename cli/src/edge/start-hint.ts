import { access } from 'node:fs/promises';

/** Where units are. Source: systemd.unit(5), "Unit File Load Path". */
const UNIT_FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
];
const UNIT = 'edgecore.service';

/** The command that starts edgecore on this machine. */
export async function startCommand(configFile: string): Promise<string> {
  return (await hasUnit()) ? 'systemctl enable --now edgecore' : `edgecore --config ${configFile}`;
}

/** The command that stops it. */
export async function stopCommand(pid: number | undefined): Promise<string> {
  if (await hasUnit()) return 'systemctl stop edgecore';
  return pid === undefined ? 'end its process' : `kill ${pid}`;
}

async function hasUnit(): Promise<boolean> {
  for (const folder of UNIT_FOLDERS) {
    try {
      await access(`${folder}/${UNIT}`);
      return true;
    } catch {
      continue; // not in this one
    }
  }
  return false;
}
