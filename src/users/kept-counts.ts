import { GUARD_NAMES, type GuardName } from './criteria.ts'

/** Guard → how many candidates it keeps. A user whom two guards keep counts for both. */
export type KeptCounts = Readonly<Partial<Record<GuardName, number>>>

/** Returns the counts for candidates, of each of whom it is known which guards keep it. */
export function countKept(candidates: readonly { readonly guards: readonly GuardName[] }[]): KeptCounts {
  const kept: Partial<Record<GuardName, number>> = {}
  for (const { guards } of candidates) {
    for (const guard of guards) kept[guard] = (kept[guard] ?? 0) + 1
  }
  return kept
}

/** Returns the sums, in the order of the guards. */
export function addKept(one: KeptCounts, other: KeptCounts): KeptCounts {
  const kept: Partial<Record<GuardName, number>> = {}
  for (const guard of GUARD_NAMES) {
    const number = (one[guard] ?? 0) + (other[guard] ?? 0)
    if (number > 0) kept[guard] = number
  }
  return kept
}
