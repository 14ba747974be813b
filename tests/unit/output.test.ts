import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { outputOf } from '../../src/cli/output.ts'
import { withDirectory } from '../support/directory.ts'

let directory: string
withDirectory(beforeAll, (path) => {
  directory = path
})

function noStream(): never {
  throw new Error('no stream is needed')
}

describe('an output that is no terminal', () => {
  test('is written to without a stream', async () => {
    const path = join(directory, 'file')
    const file = await open(path, 'w')
    const output = outputOf(file.fd, noStream)
    await output.write('Zoë\n')
    await output.write('')
    await output.write('x'.repeat(100_000))
    await file.close()
    expect(output.isTerminal).toBe(false)
    expect(await readFile(path, 'utf8')).toBe(`Zoë\n${'x'.repeat(100_000)}`)
  })

  test('may be what swallows everything', async () => {
    const nothing = await open('/dev/null', 'w')
    const output = outputOf(nothing.fd, noStream)
    await output.write('x')
    await nothing.close()
    expect(output.isTerminal).toBe(false)
  })

  test('goes on as a stream when it is a full pipe that lets nobody wait', async () => {
    const pipe = await fullPipe()
    const stream = new PassThrough()
    const output = outputOf(pipe.fd, () => stream as unknown as NodeJS.WriteStream)
    await output.write('some')
    await output.write(' more')
    stream.end()
    expect(await text(stream)).toBe('some more')
    await pipe.close()
  })
})

async function fullPipe(): Promise<FileHandle> {
  const path = join(directory, 'pipe')
  await promisify(execFile)('mkfifo', [path])
  const pipe = await open(path, constants.O_RDWR | constants.O_NONBLOCK)
  const most = 1 << 20
  await pipe.write(Buffer.alloc(most))
  return pipe
}
