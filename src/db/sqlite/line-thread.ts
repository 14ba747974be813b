import { parentPort, workerData } from 'node:worker_threads'
import { gzipSync } from 'node:zlib'
import Sqlite from 'better-sqlite3'
import { keepHeapLean } from '../../lean-heap.ts'
import { LineBuffer } from '../../line-buffer.ts'
import { isExact } from './exact-lines.ts'
import { registerFunctions } from './functions.ts'
import type { LineAnswer, LineRequest } from './line-reader.ts'

/** The other thread of a `LineReader`: reads lines by a connection of its own, and compresses them. */

/** In KiB. No row is read twice: to keep pages would only take memory. */
const CACHE = 1_000

// For the whole process: V8 forgets it when a thread starts.
keepHeapLean()
const connection = new Sqlite(workerData.path, { readonly: true, fileMustExist: true, timeout: 0 })
connection.pragma(`cache_size = -${CACHE}`)
registerFunctions(connection)
const buffer = new LineBuffer()

parentPort?.on('message', (request: LineRequest) => {
  try {
    read(request)
    say({ done: true })
  } catch {
    say({ failed: true })
  }
})

function read({ tables, compression }: LineRequest): void {
  connection.exec('begin')
  try {
    // SQLite begins to read with the first look at the file.
    connection.prepare('select count(*) from sqlite_schema').get()
    say({ begun: true })
    for (const [table, selects] of tables.entries()) {
      for (const { sql, values } of selects) {
        const { lines } = connection.prepare(sql).get(...values) as { lines: string | null }
        if (!isExact(lines)) throw new Error('not UTF-8')
        if (lines !== null) pack(table, lines, compression)
      }
    }
  } finally {
    connection.exec('commit')
  }
}

function pack(table: number, lines: string, compression: LineRequest['compression']): void {
  buffer.add(lines)
  const { text, bytes } = buffer
  say({ table, packed: { member: gzipSync(text, compression), bytes, lines: buffer.linesSince(0) } })
  buffer.clear()
}

function say(answer: LineAnswer): void {
  parentPort?.postMessage(answer)
}
