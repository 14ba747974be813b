/** Waits. Node has the same in a module of its own, and to load that takes longer than most commands wait. */
export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}
