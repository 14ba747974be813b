/**
 * Returns the strongly connected components of a graph, each after all that it leads to (Tarjan 1972).
 * A node that lies on no cycle is a component of its own.
 */
export function stronglyConnected<T>(nodes: readonly T[], next: (node: T) => readonly T[]): T[][] {
  const components: T[][] = []
  const index = new Map<T, number>()
  const low = new Map<T, number>()
  const open: T[] = []
  const lowOf = (node: T) => low.get(node) ?? 0

  function visit(node: T): void {
    const number = index.size
    index.set(node, number)
    low.set(node, number)
    open.push(node)
    for (const other of next(node)) {
      if (!index.has(other)) visit(other)
      if (open.includes(other)) low.set(node, Math.min(lowOf(node), lowOf(other)))
    }
    if (lowOf(node) === number) components.push(open.splice(open.indexOf(node)))
  }

  for (const node of nodes) if (!index.has(node)) visit(node)
  return components
}
