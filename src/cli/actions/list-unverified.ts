export async function listUnverified(..._given: unknown[]): Promise<void> {
  throw new Error('not written yet')
}
