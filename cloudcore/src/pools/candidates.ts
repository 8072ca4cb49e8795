import type { MemberReport } from './member-states.ts';
import { versionNumber } from '../cluster/stamps.ts';

/** A member that may be chosen. */
export interface Candidate {
  readonly node: string;
  readonly report: MemberReport;
}

/** Why a member may not lead; undefined: it may. */
export function unfitness(report: MemberReport | undefined, isSelected: boolean): string | undefined {
  if (!isSelected) return 'the NodePool does not select it by its labels';
  if (report === undefined) return 'it has not said how it is';
  if (report.resign === true) return 'it does not want to lead';
  if (report.endpoint === '') return 'its port for peers is not open';
  if (!report.writable) return 'its disk takes no writes';
  return undefined;
}

/** The one that is to lead: with the highest version, then with the lowest name. undefined: there is none. */
export function best(candidates: readonly Candidate[]): Candidate | undefined {
  return [...candidates].sort(byRank)[0];
}

function byRank(left: Candidate, right: Candidate): number {
  const [of, than] = [left, right].map(({ report }) => versionNumber(report.version) ?? -1n);
  if (of !== than && of !== undefined && than !== undefined) return of > than ? -1 : 1;
  return left.node < right.node ? -1 : 1;
}
