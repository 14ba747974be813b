import { expect, test } from 'vitest'
import type { Result } from '../../src/mail/reminder-rows.ts'
import { ResultWriter } from '../../src/mail/result-writer.ts'

const result = (reminderId: string): Result => ({ reminderId, status: 'sent', reply: '250', attempts: 1 })

test('what cannot be written is tried again with what comes next', async () => {
  const written: string[][] = []
  const failures: unknown[] = []
  let isLocked = true
  const writer = new ResultWriter({
    write: async (results) => {
      if (isLocked) throw new Error('locked')
      written.push(results.map(({ reminderId }) => reminderId))
    },
    onFailure: (error) => failures.push(error),
  })
  writer.add(result('1'))
  writer.add(result('2'))
  await writer.flush()
  expect([written, failures]).toEqual([[], [new Error('locked')]])
  isLocked = false
  writer.add(result('3'))
  await writer.flush()
  await writer.flush()
  expect(written).toEqual([['1', '2', '3']])
})
