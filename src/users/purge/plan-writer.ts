import { randomBytes } from 'node:crypto'
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises'
import { UserError } from '../../errors.ts'
import { beginsWith } from '../../file-beginning.ts'
import { fileReason } from '../../file-error.ts'
import type { PlannedBatch, PlannedUser } from '../recheck.ts'
import type { PlanHeader } from './plan-header.ts'

/** How the header of a plan begins, whatever its version. */
const BEGINNING = /^\{"usermgmt":"[^"]*","plan":/

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
    await this.append(users.map((user) => `${JSON.stringify(lineOf(user))}\n`).join(''))
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

/** Most users have nothing but an address. */
function lineOf({ key, reviewed }: PlannedUser): unknown[] {
  const line = [key, reviewed?.fingerprint]
  return reviewed && reviewed.rows.size > 0 ? [...line, Object.fromEntries(reviewed.rows)] : line
}

/** Throws a UserError (refused) when something is there that is no plan. */
async function refuseToReplace(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  const isPlan = () => explained(path, () => beginsWith(path, BEGINNING))
  if (!found || (found.isFile() && (found.size === 0 || (await isPlan())))) return
  // It would be replaced, and not what it leads to.
  const [what, hint] = found.isSymbolicLink()
    ? ['is a symbolic link', 'name the file that it leads to, or another one, with --plan-out']
    : [
        'is there already, and is no plan',
        'name another file with --plan-out; only an older plan is replaced',
      ]
  throw new UserError(`${path} ${what}`, { kind: 'refused', hint })
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
