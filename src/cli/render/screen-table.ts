import Table from 'cli-table3'
import stringWidth from 'string-width'
import type { Output } from '../output.ts'
import type { Style } from './style.ts'
import { alignedRows, columnWidths, GAP, padded, tableHead } from './table.ts'

/** What is still readable of a name. */
const NARROWEST = 10
/** Whole or useless. */
const RIGID: ReadonlySet<string> = new Set([
  'id',
  'last_login',
  'date_joined',
  'is_active',
  'is_staff',
  'deletion',
  'run',
  'started',
])

/** Returns the rows as a table: one that fits where it is shown on a terminal, and else a whole one. */
export function wholeOrScreenTable(
  rows: readonly (readonly string[])[],
  fields: readonly string[],
  { isTerminal, columns }: Pick<Output, 'isTerminal' | 'columns'>,
  style: Style,
): string {
  if (isTerminal) return screenTable(rows, fields, columns, style)
  const widths = columnWidths([fields, ...rows], [], stringWidth)
  return tableHead(fields, widths, style) + alignedRows(rows, widths, stringWidth)
}

/** Returns the widths cut so that the table fits: the widest column that may still be cut gives way first. */
function fitted(widths: readonly number[], fields: readonly string[], columns: number): number[] {
  const fit = [...widths]
  const width = (index: number) => fit[index] ?? 0
  const least = fields.map((field, index) =>
    RIGID.has(field) ? width(index) : Math.max(NARROWEST, stringWidth(field)),
  )
  for (let excess = tableWidth(fit) - columns; excess > 0; excess--) {
    const [widest] = fields
      .flatMap((_, index) => (width(index) > (least[index] ?? 0) ? [index] : []))
      .sort((a, b) => width(b) - width(a))
    if (widest === undefined) break
    fit[widest] = width(widest) - 1
  }
  return fit
}

/**
 * Returns the rows as a table that fits into the terminal, if need be with days in place of instants; where none does,
 * one field below the other.
 */
export function screenTable(
  rows: readonly (readonly string[])[],
  fields: readonly string[],
  columns: number,
  style: Style,
): string {
  for (const shown of [rows, rows.map((row) => row.map(dayOf))]) {
    const widths = fitted(columnWidths([fields, ...shown], [], stringWidth), fields, columns)
    if (tableWidth(widths) <= columns) return tableHead(fields, widths, style) + cutRows(shown, widths)
  }
  return records(rows, fields, style)
}

/** Returns the day of an instant, in UTC; whatever else the cell holds stays. */
function dayOf(cell: string): string {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(cell) ? cell.slice(0, 10) : cell
}

function records(rows: readonly (readonly string[])[], fields: readonly string[], style: Style): string {
  const [width = 0] = columnWidths(
    fields.map((field) => [field]),
    [],
    stringWidth,
  )
  const blocks = rows.map((row) =>
    row
      .map(
        (cell, index) => `${style.heading(padded(fields[index] ?? '', width, stringWidth))}${GAP}${cell}\n`,
      )
      .join(''),
  )
  return blocks.join('\n')
}

function tableWidth(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, GAP.length * (widths.length - 1))
}

/**
 * Returns the rows, each in one line; what does not fit ends in `…`. Not for many: measuring takes cli-table3 a third
 * of a millisecond a row.
 */
function cutRows(rows: readonly (readonly string[])[], widths: readonly number[]): string {
  const table = new Table({
    chars: BORDERLESS,
    colWidths: [...widths],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString().replace(/ +$/gm, '').concat('\n')
}

const BORDERLESS = {
  ...Object.fromEntries(
    ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) => [
      [side, ''],
      [`${side}-mid`, ''],
      [`${side}-left`, ''],
      [`${side}-right`, ''],
    ]),
  ),
  middle: GAP,
}
