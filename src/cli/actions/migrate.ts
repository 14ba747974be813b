export async function migrate(..._given: unknown[]): Promise<void> {
  throw new Error('not written yet')
}
