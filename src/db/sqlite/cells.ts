import type { Cell } from '../dialect.ts'

/** Returns the value of a cell that is an object, from its JSON text. */
export function objectCellValue(json: unknown): unknown {
  return boundValue(JSON.parse(String(json)) as Cell)
}

/** Returns what to bind for the cell; the bytes of a text that is not UTF-8 as a blob. */
export function boundValue(cell: Cell): unknown {
  if (typeof cell === 'number') return BigInt(cell)
  if (cell === null || typeof cell === 'string') return cell
  if ('i' in cell) return BigInt(cell.i)
  if ('r' in cell) return Number(cell.r)
  return Buffer.from('t' in cell ? cell.t : cell.x, 'hex')
}

/** True when the cell is a text that is not UTF-8. */
export function isBytesOfText(cell: Cell): boolean {
  return typeof cell === 'object' && cell !== null && 't' in cell
}
