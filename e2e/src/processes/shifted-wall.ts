// For `node --import`: gives a process another wall clock than the machine has, by HAWSER_E2E_WALL_SHIFT_MS, before
// anything of it is loaded. Monotonic time and the TLS library's own clock stay as they are. No program of ours loads
// it or knows of it: only who starts the process can.
const shiftMs = Number(process.env['HAWSER_E2E_WALL_SHIFT_MS'] ?? '0');
const MachineDate = Date;

class ShiftedDate extends MachineDate {
  constructor(...args: readonly unknown[]) {
    if (args.length === 0) super(MachineDate.now() + shiftMs);
    else super(...(args as [number]));
  }

  static override now(): number {
    return MachineDate.now() + shiftMs;
  }
}

globalThis.Date = ShiftedDate as DateConstructor;
