/** Returns the keys of a JSON array in slices of this size, each as JSON: parsed only when their turn comes, they take little room. */
export function keySlices(json: string, size: number): string[] {
  const keys: string[] = JSON.parse(json)
  const slices: string[] = []
  for (let at = 0; at < keys.length; at += size) slices.push(JSON.stringify(keys.slice(at, at + size)))
  return slices
}

/** Returns the keys of a slice. */
export function keysOf(slice: string): string[] {
  return JSON.parse(slice)
}
