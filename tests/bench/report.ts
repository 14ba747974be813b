import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { alignedRows, columnWidths } from '../../src/cli/render/table.ts'
import { median } from './measure.ts'

/** What was measured, each as often as it was run. */
export interface Figure {
  readonly database: string
  readonly users: number
  readonly what: string
  readonly seconds: readonly number[]
  readonly peakMegabytes?: number | undefined
  /** How many users the work was for: the cost of each is a column. */
  readonly worked?: number | undefined
}

/** A target of the project: a limit for a number, mostly a ratio of two figures of this run. */
export interface Goal {
  readonly database: string
  readonly what: string
  readonly limit: { readonly atMost: number } | { readonly atLeast: number }
  readonly unit?: string
  /** Undefined: it could not be measured, and `note` says why. */
  readonly reached: number | undefined
  readonly note?: string | undefined
}

/** Collects what a run finds, and says it as it comes. */
export class Report {
  readonly figures: Figure[] = []
  readonly goals: Goal[] = []
  private readonly versions: string[] = []

  /** `PostgreSQL 15.18 (Debian ...)`: how long a server takes depends on how it was built. */
  version(words: string): void {
    this.versions.push(words)
  }

  /** Returns the median of its seconds. */
  figure(figure: Figure): number {
    this.figures.push(figure)
    process.stderr.write(`${figureCells(figure).join('  ')}\n`)
    return median(figure.seconds)
  }

  goal(goal: Goal): void {
    this.goals.push(goal)
  }

  text(): string {
    const measured = [
      ['database', 'users', 'what', 'seconds', 'peak MB', 'µs per user'],
      ...this.figures.map(figureCells),
    ]
    const reached = [['database', 'target', 'limit', 'measured', 'reached'], ...this.goals.map(goalCells)]
    return `${this.versions.join('\n')}\n\n${columns(measured)}\n${columns(reached)}`
  }

  /** Writes everything as JSON into the directory and returns the path. */
  async save(directory: string, options: object): Promise<string> {
    const at = new Date().toISOString()
    const path = join(directory, `${at.replaceAll(':', '')}.json`)
    const machine = { cpus: cpus().length, model: cpus()[0]?.model, node: process.version, load: loadavg() }
    await mkdir(directory, { recursive: true })
    const { versions, figures, goals } = this
    await writeFile(
      path,
      `${JSON.stringify({ at, options, machine, versions, figures, goals }, undefined, 2)}\n`,
    )
    return path
  }
}

function figureCells({ database, users, what, seconds, peakMegabytes, worked }: Figure): string[] {
  const middle = median(seconds)
  const spread =
    seconds.length > 1 ? ` (${Math.min(...seconds).toFixed(3)} to ${Math.max(...seconds).toFixed(3)})` : ''
  return [
    database,
    users > 0 ? String(users) : '',
    what,
    `${middle.toFixed(3)}${spread}`,
    peakMegabytes?.toFixed(0) ?? '',
    worked ? ((middle / worked) * 1e6).toFixed(1) : '',
  ]
}

function goalCells({ database, what, limit, unit = '×', reached, note }: Goal): string[] {
  const number = (value: number) => `${value.toFixed(2)} ${unit}`
  const shown = 'atMost' in limit ? `at most ${number(limit.atMost)}` : `at least ${number(limit.atLeast)}`
  if (reached === undefined) return [database, what, shown, '-', note ?? 'not measured']
  const good = 'atMost' in limit ? reached <= limit.atMost : reached >= limit.atLeast
  return [database, what, shown, number(reached), `${good ? 'yes' : 'NO'}${note ? `: ${note}` : ''}`]
}

function columns(rows: readonly (readonly string[])[]): string {
  const textWidth = (cell: string) => cell.length
  return alignedRows(rows, columnWidths(rows, [], textWidth), textWidth)
}
