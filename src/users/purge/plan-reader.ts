import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { jsonIn } from '../../json.ts'
import { refuseIrregular } from '../../regular-file.ts'
import type { PlannedBatch, PlannedUser } from '../recheck.ts'
import type { PlanHeader } from './plan-header.ts'

/** Reads a plan's header, and counts its users. Throws a UserError when it is no plan, or not a whole one. */
export async function openPlan(path: string): Promise<PlanHeader> {
  await refuseIrregular(path)
  const users = usersOf(path)
  for (;;) {
    const next = await users.next()
    if (next.done) return next.value
  }
}

/** Yields the users of a plan, in batches of the size. Throws as `openPlan` does: the file may have changed since. */
export async function* plannedUsers(path: string, size: number): AsyncGenerator<PlannedBatch> {
  let batch: PlannedUser[] = []
  for await (const user of usersOf(path)) {
    batch.push(user)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Yields the users, and returns the header, when they are those that it counts. */
async function* usersOf(path: string): AsyncGenerator<PlannedUser, PlanHeader> {
  let header: PlanHeader | undefined
  let users = 0
  let last: string | undefined
  for await (const line of linesOf(path)) {
    if (!header) {
      header = await headerFrom(line, path)
      continue
    }
    const user = userFrom(line)
    if (!user) throw changed(`${path} holds a line that is no user`)
    // They are in the order of their keys.
    if (user.key === last) throw changed(`${path} holds a user twice`)
    last = user.key
    users += 1
    yield user
  }
  if (!header) throw changed(`${path} is empty`)
  const { toDelete } = header.counts
  if (users === toDelete) return header
  throw changed(`${path} holds ${users} of the ${toDelete} users that it says`)
}

/** A line more or less is no review: what the plan counted would not be what is deleted. */
function changed(what: string): UserError {
  return new UserError(`${what}: it is not the plan that was made`, {
    hint: 'make a new one with: usermgmt purge --plan-out; who is to be kept goes into protect in the configuration file',
  })
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, 'utf8')
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    throw new UserError(`the plan ${path} cannot be read: ${fileReason(cause)}`, {
      cause,
    })
  } finally {
    stream.destroy()
  }
}

async function headerFrom(line: string, path: string): Promise<PlanHeader> {
  // The validator is large, and most purges read no plan.
  const { planHeaderFrom } = await import('./plan-schema.ts')
  const header = planHeaderFrom(jsonIn(line))
  if (header) return header
  throw new UserError(`${path} is not a plan that this version reads`, {
    hint: 'plans are made by: usermgmt purge --plan-out FILE',
  })
}

/** Undefined when the line is no user. */
function userFrom(line: string): PlannedUser | undefined {
  const user = jsonIn(line)
  if (!Array.isArray(user)) return undefined
  const [key, fingerprint, counts = {}] = user as unknown[]
  if (typeof key !== 'string' || typeof fingerprint !== 'string') return undefined
  if (typeof counts !== 'object' || counts === null) return undefined
  const rows = Object.entries(counts)
  if (!rows.every((each): each is [string, number] => Number.isSafeInteger(each[1]))) return undefined
  return { key, reviewed: { fingerprint, rows: new Map(rows) } }
}
