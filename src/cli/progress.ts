import type { CommandContext } from './command-context.ts'
import type { Context } from './context.ts'
import { type Advance, progressBar, progressLine } from './render/progress-line.ts'

export type ReportAdvance = (advance: Advance) => void

const PATIENCE_MILLISECONDS = 1_000
const LINE_MILLISECONDS = 10_000

/** Where progress shows; it hears of the time that has passed with every step. */
interface Display {
  show(advance: Advance, seconds: number): void
  /** Makes room for something else; the next `show` comes below it. Nothing is left at the end. */
  hide(): void
}

/**
 * As `withProgress`, for work that the first Ctrl-C stops in good order: `stopping` says then what it still waits for.
 */
export function withStoppableProgress<T>(
  context: CommandContext,
  { what, stopping }: { readonly what: string; readonly stopping: string },
  work: (report: ReportAdvance, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return context.untilInterrupted((signal) =>
    withProgress(context, what, (report, say) => {
      signal.addEventListener('abort', () => say(`stopping after ${stopping}; once more to stop at once`))
      return work(report, signal)
    }),
  )
}

/**
 * Runs the work and shows how far it is once it takes longer than a second: a bar on a terminal, elsewhere a line
 * each ten seconds with --verbose. It is gone when the work has ended.
 */
export async function withProgress<T>(
  context: CommandContext,
  what: string,
  work: (report: ReportAdvance, say: (words: string) => void) => Promise<T>,
): Promise<T> {
  const display = await displayFor(context, what)
  const { talk } = context
  const began = context.now().getTime()
  let advance: Advance = { done: 0, total: 0 }
  const show = () => {
    const elapsed = context.now().getTime() - began
    if (elapsed >= PATIENCE_MILLISECONDS) display?.show(advance, elapsed / 1000)
  }
  // Work that reports nothing must show too. Work that never lets go of the process shows when it reports.
  const timer = setInterval(show, PATIENCE_MILLISECONDS / 4)
  timer.unref()
  try {
    return await work(
      (reported) => {
        advance = reported
        show()
      },
      (words) => {
        display?.hide()
        // The terminal has shown the keys that were pressed.
        void talk.say('', words)
      },
    )
  } finally {
    clearInterval(timer)
    display?.hide()
  }
}

async function displayFor(context: CommandContext, what: string): Promise<Display | undefined> {
  if (context.globals.quiet) return undefined
  return context.stderr.isTerminal ? barOn(context, what) : linesTo(context, what)
}

async function barOn({ stderr }: Context, what: string): Promise<Display> {
  const { default: progress } = await import('cli-progress')
  let seconds = 0
  const bar = new progress.SingleBar({
    stream: stderr.stream,
    format: (_, { value, total }) => progressBar(what, { done: value, total }, seconds),
    clearOnComplete: true,
    forceRedraw: true,
    // With it off, a process that is ended at once would leave the terminal so.
    linewrap: true,
    // Its handlers of signals would keep the first Ctrl-C from ending the process.
    gracefulExit: false,
  })
  let started = false
  return {
    show({ done, total }, elapsed) {
      seconds = elapsed
      if (!started) bar.start(total, done)
      started = true
      bar.setTotal(total)
      bar.update(done)
    },
    hide() {
      bar.stop()
      started = false
    },
  }
}

function linesTo(context: CommandContext, what: string): Display {
  const { talk } = context
  let next = LINE_MILLISECONDS / 1000
  return {
    show(advance, seconds) {
      if (seconds < next) return
      next = seconds + LINE_MILLISECONDS / 1000
      void talk.detail(progressLine(what, advance, seconds))
    },
    hide() {},
  }
}
