import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Backlog } from '../../src/mail/backlog.ts'

/** A backlog of so many mails: each begins, and ends, when the test says so. */
function backlogOf(mails: number) {
  const ending = new AbortController()
  const backlog = new Backlog(ending.signal)
  const begin: (() => void)[] = []
  const finish: (() => void)[] = []
  for (let i = 0; i < mails; i++) {
    backlog.add((begins) => {
      begin.push(begins)
      return new Promise((resolve) => finish.push(resolve))
    })
  }
  async function isRoom(size: number) {
    let found = false
    void backlog.room(size).then(() => {
      found = true
    })
    await turn()
    return () => found
  }
  return { backlog, begin, finish, isRoom, end: () => ending.abort() }
}

test('there is room when half of a group has begun', async () => {
  const { begin, isRoom } = backlogOf(4)
  const found = await isRoom(4)
  begin[0]?.()
  begin[0]?.()
  await turn()
  expect(found()).toBe(false)
  begin[1]?.()
  await turn()
  expect(found()).toBe(true)
})

test('what ends without having begun makes room as well', async () => {
  const { finish, isRoom } = backlogOf(1)
  const found = await isRoom(1)
  expect(found()).toBe(false)
  finish[0]?.()
  await turn()
  expect(found()).toBe(true)
})

test('there is none while a thousand mails wait', async () => {
  const { begin, finish, isRoom } = backlogOf(1_000)
  for (const begins of begin) begins()
  const found = await isRoom(1)
  expect(found()).toBe(false)
  finish[7]?.()
  await turn()
  expect(found()).toBe(true)
})

test('nobody waits for room when there will be no more', async () => {
  const { isRoom, end } = backlogOf(10)
  const found = await isRoom(1)
  end()
  await turn()
  expect(found()).toBe(true)
  expect((await isRoom(1))()).toBe(true)
})

test('it ends with its last mail', async () => {
  const { backlog, finish } = backlogOf(2)
  let hasEnded = false
  const ended = backlog.end().then(() => {
    hasEnded = true
  })
  finish[0]?.()
  await turn()
  expect(hasEnded).toBe(false)
  finish[1]?.()
  await ended
})
