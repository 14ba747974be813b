export async function createUser(..._given: unknown[]): Promise<void> {
  throw new Error('not written yet')
}
