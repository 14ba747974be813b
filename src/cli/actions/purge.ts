export async function purgeUnverified(..._given: unknown[]): Promise<void> {
  throw new Error('not written yet')
}
