import type { ListedUser, ListField } from '../../users/list-fields.ts'
import { cellText } from './cells.ts'
import type { Style } from './style.ts'
import type { TextWidth } from './text-width.ts'

/** Between two columns. */
export const GAP = '  '

/** Returns the rows of cells that a table shows of these users. A login that never was is a fact, not a gap. */
export function tableRows(users: readonly ListedUser[], fields: readonly ListField[]): string[][] {
  return users.map((user) =>
    fields.map((field) => cellText(user, field) || (field === 'last_login' ? 'never' : '-')),
  )
}

/** Returns how wide each column of the rows has to be, at least as wide as before. */
export function columnWidths(
  rows: readonly (readonly string[])[],
  before: readonly number[],
  textWidth: TextWidth,
): number[] {
  return rows.reduce<number[]>(
    (widths, row) => row.map((cell, index) => Math.max(widths[index] ?? 0, textWidth(cell))),
    [...before],
  )
}

/** Returns the lines of the header: the names, and the rule under them. */
export function tableHead(fields: readonly string[], widths: readonly number[], style: Style): string {
  const rules = widths.map((width) => '─'.repeat(width))
  // Their letters are all of one column.
  const textWidth = (text: string) => text.length
  return style
    .heading(alignedRows([fields], widths, textWidth).trimEnd())
    .concat('\n', alignedRows([rules], widths, textWidth))
}

/** Returns the rows, each in one line, in columns that are wide enough. */
export function alignedRows(
  rows: readonly (readonly string[])[],
  widths: readonly number[],
  textWidth: TextWidth,
): string {
  const lines = rows.map((row) =>
    row
      .map((cell, index) => padded(cell, widths[index] ?? 0, textWidth))
      .join(GAP)
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** Returns the cell with spaces after it, as wide as that. */
export function padded(cell: string, width: number, textWidth: TextWidth): string {
  return cell + ' '.repeat(Math.max(0, width - textWidth(cell)))
}
