import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type Instant, instantOf } from '../django/datetime.ts'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import type { Site } from '../site/site.ts'
import type { Criteria } from './criteria.ts'
import type { PlannedBatch, PlannedUser, PurgePlan } from './plan.ts'

const PLAN_FORMAT = 1

/** The first line of a plan file; each further line is a user: `["key","fingerprint"]`. */
export interface PlanHeader {
  readonly usermgmt: string
  readonly plan: number
  readonly database: { readonly kind: string; readonly identity: string }
  readonly made: Instant
  /** Guards and rules as they were; the selection without the users named, for the lines are these. */
  readonly criteria: Criteria
  readonly counts: Pick<PurgePlan, 'since' | 'matched' | 'toDelete' | 'kept' | 'tables' | 'nulled'>
}

/** Returns the header of a plan that is made now. */
export function planHeader(
  site: Site,
  { selection, guards, rules }: Criteria,
  { since, matched, toDelete, kept, tables, nulled }: PurgePlan,
  run: { readonly version: string; readonly identity: string; readonly now: Date },
): PlanHeader {
  return {
    usermgmt: run.version,
    plan: PLAN_FORMAT,
    database: { kind: site.db.dialect.name, identity: run.identity },
    made: instantOf(run.now),
    criteria: {
      selection: { ...selection, users: undefined, userIds: undefined, limit: undefined },
      guards,
      rules,
    },
    counts: { since, matched, toDelete, kept, tables, nulled },
  }
}

/** Writes a plan beside its place, and puts it there when it is complete: a file that is there is whole. */
export class PlanWriter {
  private readonly path: string
  private readonly temporary: string
  private readonly file: FileHandle

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.path = path
    this.temporary = temporary
    this.file = file
  }

  /** Throws a UserError when no file can be made there. */
  static async create(path: string): Promise<PlanWriter> {
    const temporary = `${path}.${randomBytes(3).toString('hex')}`
    return explained(path, async () => new PlanWriter(path, temporary, await open(temporary, 'wx', 0o600)))
  }

  async header(header: PlanHeader): Promise<void> {
    await this.append(`${JSON.stringify(header)}\n`)
  }

  async batch(users: PlannedBatch): Promise<void> {
    await this.append(users.map(({ key, fingerprint }) => `${JSON.stringify([key, fingerprint])}\n`).join(''))
  }

  /** Puts the file in its place. */
  async finish(): Promise<void> {
    await explained(this.path, async () => {
      await this.file.sync()
      await this.file.close()
      await rename(this.temporary, this.path)
    })
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.file.close().catch(() => {})
    await rm(this.temporary, { force: true })
  }

  private append(text: string): Promise<void> {
    return explained(this.path, () => this.file.appendFile(text))
  }
}

/** Reads a plan's header, and counts its users. Throws a UserError when it is no plan, or not a whole one. */
export async function openPlan(path: string): Promise<PlanHeader> {
  let header: PlanHeader | undefined
  let users = 0
  for await (const line of linesOf(path)) {
    if (!header) header = headerFrom(line, path)
    else if (userFrom(line)) users += 1
  }
  if (header && users === header.counts.toDelete) return header
  throw new UserError(`${path} is not a whole plan`, {
    hint: 'make a new one with: usermgmt purge --plan-out',
  })
}

/** Yields the users of a plan, in batches of the size. */
export async function* plannedUsers(path: string, size: number): AsyncGenerator<PlannedBatch> {
  let batch: PlannedUser[] = []
  let isHeader = true
  for await (const line of linesOf(path)) {
    if (isHeader) {
      isHeader = false
      continue
    }
    const user = userFrom(line)
    if (user) batch.push(user)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const stream = createReadStream(path, 'utf8')
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (cause) {
    throw new UserError(`the plan ${path} cannot be read: ${fileReason(cause)}`, {
      cause,
    })
  }
}

function headerFrom(line: string, path: string): PlanHeader {
  try {
    const header = JSON.parse(line) as PlanHeader
    if (header.plan === PLAN_FORMAT) return header
  } catch {
    // Said below.
  }
  throw new UserError(`${path} is not a plan that this version reads`, {
    hint: 'plans are made by: usermgmt purge --plan-out FILE',
  })
}

/** Undefined when the line is no user. */
function userFrom(line: string): PlannedUser | undefined {
  try {
    const [key, fingerprint] = JSON.parse(line) as unknown[]
    return typeof key === 'string' && typeof fingerprint === 'string' ? { key, fingerprint } : undefined
  } catch {
    return undefined
  }
}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new UserError(`the plan ${path} cannot be written: ${fileReason(cause)}`, {
      hint: 'name another file with --plan-out',
      cause,
    })
  }
}
