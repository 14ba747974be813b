import { on } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { ZlibOptions } from 'node:zlib'
import { packageRoot } from '../../package-root.ts'
import { type PackedLines, ReadAgain, type ReadingAhead } from '../port.ts'
import type { Written } from './statements.ts'

/** What the thread is asked: selects of lines, those of each table, all in one snapshot. */
export interface LineRequest {
  readonly tables: readonly (readonly Written[])[]
  readonly compression: ZlibOptions
}

/** What it says: that it has the snapshot; the lines of one select; how it ends. */
export type LineAnswer =
  | { readonly begun: true }
  | { readonly table: number; readonly packed: PackedLines }
  | { readonly done: true }
  | { readonly failed: true }

/** Code from here cannot run in another thread before it has been built. */
const THREAD = new URL('dist/line-thread.cjs', packageRoot())

/** Reads lines of a SQLite file in another thread. After a failure it reads no more. */
export class LineReader {
  private readonly path: string
  private worker: Worker | undefined
  private hasFailed = false
  private last: Promise<unknown> = Promise.resolve()

  constructor(path: string) {
    this.path = path
  }

  /** Returns once the thread sees what is committed now, and holds on to it; undefined when it cannot. */
  async read(request: LineRequest): Promise<ReadingAhead | undefined> {
    // A transaction that failed has not waited for what it asked for.
    await this.last
    if (this.hasFailed) return undefined
    const answers = this.ask(request)
    if (!answers || !(await hasBegun(answers))) {
      this.hasFailed = true
      return undefined
    }
    const packed = collected(answers, request.tables.length)
    this.last = packed.catch(() => {
      this.hasFailed = true
    })
    return { packed }
  }

  /** Returns undefined where the system lets no further thread start. */
  private ask(request: LineRequest): AsyncGenerator<LineAnswer> | undefined {
    try {
      this.worker ??= this.start()
    } catch {
      return undefined
    }
    const answers = answersOf(this.worker)
    this.worker.postMessage(request)
    return answers
  }

  async close(): Promise<void> {
    await this.worker?.terminate()
  }

  private start(): Worker {
    const worker = new Worker(THREAD, { workerData: { path: this.path } })
    // One that ends while nobody listens must not take the process with it.
    worker.on('error', () => {})
    worker.on('exit', () => {
      this.hasFailed = true
    })
    return worker
  }
}

async function* answersOf(worker: Worker): AsyncGenerator<LineAnswer> {
  for await (const [answer] of on(worker, 'message', { close: ['exit'] })) yield answer
}

async function hasBegun(answers: AsyncGenerator<LineAnswer>): Promise<boolean> {
  const first = await answers.next().catch(() => undefined)
  return first !== undefined && !first.done && 'begun' in first.value
}

/** Throws ReadAgain when the thread does not come to its end. */
async function collected(answers: AsyncGenerator<LineAnswer>, tables: number): Promise<PackedLines[][]> {
  const found: PackedLines[][] = Array.from({ length: tables }, () => [])
  try {
    for await (const answer of answers) {
      if ('packed' in answer) found[answer.table]?.push(answer.packed)
      else if ('done' in answer) return found
      else break
    }
  } catch (cause) {
    throw new ReadAgain(undefined, { cause })
  }
  throw new ReadAgain()
}
