import Table from 'cli-table3'
import stringWidth from 'string-width'
import type { ListedUser, ListField } from '../../users/list.ts'
import { cellText } from './cells.ts'
import type { Style } from './style.ts'

const GAP = '  '
/** What is still readable of a name. */
const NARROWEST = 10
/** Whole or useless. */
const RIGID: ReadonlySet<string> = new Set(['id', 'last_login', 'date_joined', 'is_active', 'is_staff'])

/** Returns the rows of cells that a table shows of these users. A login that never was is a fact, not a gap. */
export function tableRows(users: readonly ListedUser[], fields: readonly ListField[]): string[][] {
  return users.map((user) =>
    fields.map((field) => cellText(user, field) || (field === 'last_login' ? 'never' : '-')),
  )
}

/** Returns how wide each column of the rows has to be, at least as wide as before. */
export function columnWidths(rows: readonly (readonly string[])[], before: readonly number[]): number[] {
  return rows.reduce<number[]>(
    (widths, row) => row.map((cell, index) => Math.max(widths[index] ?? 0, stringWidth(cell))),
    [...before],
  )
}

/** Returns the widths cut so that the table fits: the widest column that may be cut gives way first. */
export function fitted(widths: readonly number[], fields: readonly string[], columns: number): number[] {
  const fit = [...widths]
  const flexible = fields.flatMap((field, index) => (RIGID.has(field) ? [] : [index]))
  const width = (index: number) => fit[index] ?? 0
  let excess = fit.reduce((sum, each) => sum + each, GAP.length * (fit.length - 1)) - columns
  for (; excess > 0; excess--) {
    const widest = flexible.reduce((a, b) => (width(b) > width(a) ? b : a), flexible[0] ?? 0)
    if (flexible.length === 0 || width(widest) <= NARROWEST) break
    fit[widest] = width(widest) - 1
  }
  return fit
}

/** Returns the lines of the header: the names, and the rule under them. */
export function tableHead(fields: readonly string[], widths: readonly number[], style: Style): string {
  const rules = widths.map((width) => '─'.repeat(width))
  return style.heading(alignedRows([fields], widths).trimEnd()).concat('\n', alignedRows([rules], widths))
}

/** Returns the rows, each in one line, in columns that are wide enough. */
export function alignedRows(rows: readonly (readonly string[])[], widths: readonly number[]): string {
  const lines = rows.map((row) =>
    row
      .map((cell, index) => padded(cell, widths[index] ?? 0))
      .join(GAP)
      .trimEnd(),
  )
  return lines.map((line) => `${line}\n`).join('')
}

/**
 * Returns the rows, each in one line; what does not fit ends in `…`. Not for many: measuring takes cli-table3 a third
 * of a millisecond a row.
 */
export function cutRows(rows: readonly (readonly string[])[], widths: readonly number[]): string {
  const table = new Table({
    chars: BORDERLESS,
    colWidths: [...widths],
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  table.push(...rows.map((row) => [...row]))
  return table.toString().replace(/ +$/gm, '').concat('\n')
}

function padded(cell: string, width: number): string {
  return cell + ' '.repeat(Math.max(0, width - stringWidth(cell)))
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
