import type { Cell } from './dialect.ts'

/** Returns the text of a cell as a cast in the database would have it; empty for NULL. What is not UTF-8 is replaced. */
export function cellText(cell: Cell): string {
  if (typeof cell !== 'object' || cell === null) return String(cell ?? '')
  if ('i' in cell) return cell.i
  if ('r' in cell) return cell.r
  return Buffer.from('t' in cell ? cell.t : cell.x, 'hex').toString()
}
