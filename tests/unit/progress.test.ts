import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { commandContext } from '../../src/cli/command-context.ts'
import type { Context, GlobalOptions } from '../../src/cli/context.ts'
import { outputTo } from '../../src/cli/output.ts'
import { withProgress, withStoppableProgress } from '../../src/cli/progress.ts'
import { progressBar, progressLine } from '../../src/cli/render/progress-line.ts'
import { contextOf } from '../cli/run.ts'

const ERASE_LINE = '\u001b[2K'
const SAVE_CURSOR = '\u001b7'
const RESTORE_CURSOR = '\u001b8'
const GLOBALS: GlobalOptions = { color: true, input: true }

describe('the line', () => {
  test.each([
    [{ done: 1200, total: 5000 }, 3, 'deleting: 1,200 of 5,000 (24%), 400/s, 10 s left'],
    [{ done: 2, total: 500 }, 4, 'deleting: 2 of 500 (0%), 0.5/s, 17 min left'],
    [{ done: 0, total: 500 }, 4, 'deleting: 0 of 500 (0%)'],
    [{ done: 1000, total: 1_000_000 }, 10, 'deleting: 1,000 of 1,000,000 (0%), 100/s, 2.8 h left'],
    [{ done: 0, total: 0 }, 4, 'deleting: 4 s'],
  ])('%j after %i s', (advance, seconds, line) => {
    expect(progressLine('deleting', advance, seconds)).toBe(line)
  })

  test('with a bar', () => {
    expect(progressBar('deleting', { done: 1, total: 2 }, 1)).toMatch(/^█{8}░{8} deleting: 1 of 2/)
    expect(progressBar('planning', { done: 0, total: 0 }, 1.1)).toMatch(/^⠙ planning: 1 s$/)
  })
})

describe('while something takes long', () => {
  beforeEach(() => vi.useFakeTimers({ now: new Date('2025-06-15T12:00:00Z') }))
  afterEach(() => vi.useRealTimers())

  const timed = (context: Context): Context => ({ ...context, now: () => new Date() })

  /** Reports a step each second. */
  async function steps(context: Context, globals: GlobalOptions, count: number): Promise<void> {
    await withProgress(commandContext(timed(context), globals), 'deleting', async (report) => {
      for (let done = 1; done <= count; done++) {
        await vi.advanceTimersByTimeAsync(1000)
        report({ done, total: count })
      }
    })
  }

  test('without a terminal there is nothing', async () => {
    const { context, stderr } = contextOf({})
    await steps(context, GLOBALS, 30)
    expect(stderr()).toBe('')
  })

  test('without a terminal and with --verbose there is a line each ten seconds', async () => {
    const { context, stderr } = contextOf({})
    await steps(context, { ...GLOBALS, verbose: true }, 25)
    expect(stderr().trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^deleting: (9|10) of 25 /),
      expect.stringMatching(/^deleting: (19|20) of 25 /),
    ])
  })

  test('on a terminal there is a bar, gone at the end', async () => {
    const shown = await onTerminal(GLOBALS, 3)
    expect(shown).toContain('deleting: 2 of 3 (66%)')
    expect(shown.slice(shown.lastIndexOf('left'))).toContain(ERASE_LINE)
  })

  test('what is said meanwhile stays, and the bar goes on below it', async () => {
    const stopping = new AbortController()
    const shown = await onTerminal(GLOBALS, 0, async (context) => {
      const untilInterrupted: Context['untilInterrupted'] = (work) => work(stopping.signal)
      const what = { what: 'deleting', stopping: 'this batch' }
      const onTimed = commandContext({ ...timed(context), untilInterrupted }, GLOBALS)
      await withStoppableProgress(onTimed, what, async (report) => {
        for (let done = 1; done <= 3; done++) {
          await vi.advanceTimersByTimeAsync(1000)
          report({ done, total: 3 })
          if (done === 2) stopping.abort()
        }
      })
    })
    const words = '\nstopping after this batch; once more to stop at once\n'
    const [before = '', after = ''] = shown.split(words)
    expect(before.endsWith(`${RESTORE_CURSOR}\u001b[1G${ERASE_LINE}`)).toBe(true)
    expect(after.startsWith(SAVE_CURSOR)).toBe(true)
    expect(after).toContain('deleting: 3 of 3')
    expect(after.endsWith(`${RESTORE_CURSOR}\u001b[1G${ERASE_LINE}`)).toBe(true)
  })

  test.each([
    [999, false],
    [1_000, true],
  ])('what takes %i ms is shown: %s', async (milliseconds, isShown) => {
    const work = (context: Context) =>
      withProgress(commandContext(timed(context), GLOBALS), 'deleting', async (report) => {
        await vi.advanceTimersByTimeAsync(milliseconds)
        report({ done: 1, total: 2 })
      })
    expect((await onTerminal(GLOBALS, 0, work)).includes('deleting')).toBe(isShown)
  })

  test('--quiet shows nothing', async () => {
    expect(await onTerminal({ ...GLOBALS, quiet: true }, 3)).toBe('')
  })

  async function onTerminal(
    globals: GlobalOptions,
    count: number,
    work = (context: Context) => steps(context, globals, count),
  ): Promise<string> {
    const stream = Object.assign(new PassThrough(), { isTTY: true })
    let shown = ''
    stream.on('data', (piece) => {
      shown += piece
    })
    const { context } = contextOf({ terminal: { columns: 80 } })
    await work({ ...context, stderr: outputTo(stream, { columns: 80 }) })
    return shown
  }

  test('an error passes', async () => {
    const { context } = contextOf({ terminal: { columns: 80 } })
    const work = withProgress(commandContext(context, GLOBALS), 'x', () => Promise.reject(new Error('no')))
    await expect(work).rejects.toThrow('no')
  })
})
