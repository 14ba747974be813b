import { expect, test } from 'vitest'
import { sleep } from '../../src/mail/clock.ts'
import { errorOf } from '../support/errors.ts'

test('a sleep takes its time', async () => {
  const start = performance.now()
  await sleep(60, new AbortController().signal)
  expect(performance.now() - start).toBeGreaterThan(50)
})

test('a sleeper wakes up when the signal comes, before or while it sleeps', async () => {
  expect(await errorOf(() => sleep(3_600_000, AbortSignal.abort()))).toBeUndefined()
  const controller = new AbortController()
  const sleeping = sleep(3_600_000, controller.signal)
  controller.abort()
  expect(await errorOf(() => sleeping)).toBeUndefined()
})
