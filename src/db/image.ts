import type { Cell } from './dialect.ts'

/** A row that was selected with the dialect's `image`. */
export interface ImageRow {
  /** A JSON array of cells. */
  readonly image: string
}

/** Returns the cells of the row, in the order in which its columns were asked for. */
export function cellsOf({ image }: ImageRow): Cell[] {
  return JSON.parse(image)
}

/** Returns whether both cells are the same, a missing one as NULL. */
export function isSameCell(one: Cell | undefined, other: Cell | undefined): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null)
}
