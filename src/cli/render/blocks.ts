import stringWidth from 'string-width'
import { counted, shownNumber } from '../../values/numbers.ts'
import type { Output } from '../output.ts'
import { plainText } from './plain-text.ts'
import type { Style } from './style.ts'

const INDENT = '  '

/** A number, what it counts, and a remark. */
export type CountLine = readonly [count: number, what: string, remark?: string]

/** Returns the lines of a titled list of numbers, in columns; none when the list is empty. */
export function countBlock(title: string, lines: readonly CountLine[], style: Style): string[] {
  const cells = lines.map(([count, what, remark = '']) => [
    shownNumber(count),
    plainText(what),
    plainText(remark),
  ])
  const width = (index: number) => Math.max(0, ...cells.map((row) => stringWidth(row[index] ?? '')))
  const [counts, names] = [width(0), width(1)]
  return block(
    title,
    cells.map(([count = '', what = '', remark = '']) => {
      const gap = ' '.repeat(Math.max(0, names - stringWidth(what)))
      return `${count.padStart(counts)}  ${what}${gap}  ${remark}`.trimEnd()
    }),
    style,
  )
}

/** Returns a blank line, the title and the lines under it; nothing without lines. They are safe to show already. */
export function block(title: string, lines: readonly string[], style: Style): string[] {
  return lines.length === 0
    ? []
    : ['', style.heading(title), ...lines.map((line) => `${INDENT}${line}`.trimEnd())]
}

/** Returns what there is room for on the output within a block. */
export function blockWidth({ isTerminal, columns }: Output): Pick<Output, 'isTerminal' | 'columns'> {
  return { isTerminal, columns: columns - INDENT.length }
}

/** Returns the counts of a record, the largest first. */
export function largestFirst(counts: Readonly<Record<string, number>>): CountLine[] {
  return Object.entries(counts)
    .map(([what, count]): CountLine => [count, what])
    .sort(([a], [b]) => b - a)
}

/** Returns a line that says how many more there are, and where; none when all are there. */
export function moreLines(rest: number, where = ''): string[] {
  return rest > 0 ? [`and ${counted(rest, 'more', 'more')}${where}`] : []
}

/** Returns the lines as a text. */
export function lines(texts: readonly string[]): string {
  return texts.map((line) => `${line}\n`).join('')
}
