import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type Instant, instantOf } from '../../django/datetime.ts'
import { UserError } from '../../errors.ts'
import { fileReason } from '../../file-error.ts'
import { jsonIn } from '../../json.ts'
import { refuseIrregular } from '../../regular-file.ts'
import type { Site } from '../../site/site.ts'
import { type SiteDatabase, siteDatabase } from '../archive/site-database.ts'
import type { Criteria } from '../criteria.ts'
import type { PlannedBatch, PlannedUser } from '../recheck.ts'
import type { PurgePlan } from './plan.ts'

export const PLAN_FORMAT = 1

/** How the header of a plan begins, whatever its version. */
const BEGINNING = /^\{"usermgmt":"[^"]*","plan":/
const BEGINNING_BYTES = 100

/** The first line of a plan file; each further line is a user: `["key","fingerprint"]`. */
export interface PlanHeader {
  readonly usermgmt: string
  readonly plan: number
  readonly database: SiteDatabase
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
    database: siteDatabase(site, run.identity),
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

  /** Throws a UserError when no file can be made there, or one that is no plan would be replaced. */
  static async create(path: string): Promise<PlanWriter> {
    await refuseToReplace(path)
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
  await refuseIrregular(path)
  let header: PlanHeader | undefined
  let users = 0
  let last: string | undefined
  let repeated = false
  for await (const line of linesOf(path)) {
    if (!header) {
      header = await headerFrom(line, path)
      continue
    }
    const user = userFrom(line)
    if (!user) continue
    // They are in the order of their keys.
    repeated ||= user.key === last
    last = user.key
    users += 1
  }
  if (header && !repeated && users === header.counts.toDelete) return header
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
  const [key, fingerprint] = user as unknown[]
  return typeof key === 'string' && typeof fingerprint === 'string' ? { key, fingerprint } : undefined
}

/** Throws a UserError (refused) when something is there that is no plan. */
async function refuseToReplace(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found || (found.isFile() && (found.size === 0 || (await explained(path, () => isPlan(path)))))) return
  // It would be replaced, and not what it leads to.
  const [what, hint] = found.isSymbolicLink()
    ? ['is a symbolic link', 'name the file that it leads to, or another one, with --plan-out']
    : [
        'is there already, and is no plan',
        'name another file with --plan-out; only an older plan is replaced',
      ]
  throw new UserError(`${path} ${what}`, { kind: 'refused', hint })
}

/** Of any version. No more than the beginning is read: the file may be anything, of any size. */
async function isPlan(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES))
    return BEGINNING.test(buffer.toString('latin1', 0, bytesRead))
  } finally {
    await file.close()
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
