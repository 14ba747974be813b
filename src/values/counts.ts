/** Counts so many more of that name; what there is none of gets no entry. */
export function countUp(counts: Map<string, number>, name: string, more: number): void {
  if (more > 0) counts.set(name, (counts.get(name) ?? 0) + more)
}
