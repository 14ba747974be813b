import { PassThrough, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Interrupted } from '../../src/cli/interrupted.ts'
import { ClosedOutput, outputTo } from '../../src/cli/output.ts'
import { reportError } from '../../src/cli/report-error.ts'
import { UserError } from '../../src/errors.ts'
import { contextOf } from './run.ts'

async function reported(error: unknown) {
  const { context, stderr } = contextOf({})
  const exit = await reportError(error, context)
  return { exit, stderr: stderr() }
}

describe('exit codes', () => {
  test.each([
    [new UserError('it failed', { hint: 'try' }), 1, 'usermgmt: it failed; try\n'],
    [new UserError('it cannot be', { kind: 'invalid' }), 2, 'usermgmt: it cannot be\n'],
    [new UserError('no', { kind: 'refused' }), 3, 'usermgmt: no\n'],
    [new Interrupted('3 users deleted'), 130, 'usermgmt: interrupted: 3 users deleted\n'],
    [
      Object.assign(new Error('User force closed the prompt'), { name: 'ExitPromptError' }),
      130,
      'usermgmt: interrupted\n',
    ],
    [new ClosedOutput(), 0, ''],
  ])('%s', async (error, exit, stderr) => {
    expect(await reported(error)).toEqual({ exit, stderr })
  })

  test('a database error that has words', async () => {
    const error = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    })
    expect(await reported(error)).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('nothing answers'),
    })
  })
})

describe('a bug', () => {
  test('shows where it is and asks for a report', async () => {
    const { exit, stderr } = await reported(new TypeError('x is not a function'))
    const [first, second, third] = stderr.split('\n')
    expect(exit).toBe(1)
    expect(first).toBe(
      "usermgmt: this is a bug, please report it at the repository's issue tracker, with these lines",
    )
    expect(second).toBe('TypeError: x is not a function')
    expect(third).toMatch(/^ {4}at .*report-error\.test\.ts/)
  })

  test('of a query shows neither SQL nor parameters', async () => {
    const cause = Object.assign(new Error('operator does not exist: text = "anna@example.com"'), {
      code: '42883',
      severity: 'ERROR',
    })
    const error = Object.assign(
      new Error('Failed query: select\n    at secret(x:1:1)\nparams: anna@example.com', { cause }),
      {
        query: 'select …',
        params: ['anna@example.com'],
      },
    )
    const { exit, stderr } = await reported(error)
    expect(exit).toBe(1)
    expect(stderr).toContain('\ndatabase error 42883\n    at ')
    expect(stderr).not.toMatch(/anna|select|secret|params/)
  })

  test('that is no Error at all', async () => {
    expect(await reported('oops')).toMatchObject({ exit: 1, stderr: expect.stringMatching(/\noops\n$/) })
  })
})

describe('the output', () => {
  test('waits for a slow reader', async () => {
    const reads: (() => void)[] = []
    const stream = new Writable({
      write: (_chunk, _encoding, done) => void reads.push(done),
    })
    let taken = false
    const writing = outputTo(stream)
      .write('12345')
      .then(() => {
        taken = true
      })
    await new Promise(setImmediate)
    expect(taken).toBe(false)
    reads.shift()?.()
    await writing
  })

  test('knows that the reader has gone', async () => {
    const stream = new PassThrough()
    const output = outputTo(stream)
    stream.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    await new Promise(setImmediate)
    await expect(output.write('x')).rejects.toBeInstanceOf(ClosedOutput)
  })

  test('says when it cannot be written', async () => {
    const stream = new PassThrough()
    const output = outputTo(stream)
    stream.destroy(Object.assign(new Error('write ENOSPC'), { code: 'ENOSPC' }))
    await new Promise(setImmediate)
    await expect(output.write('x')).rejects.toThrow('the output cannot be written: the disk is full')
  })
})
