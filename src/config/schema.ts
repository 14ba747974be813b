import { resolve } from 'node:path'
import * as z from 'zod'
import { graceStart, zoneFrom } from '../cli/dates.ts'
import { columnFrom, maxDeleteFrom } from '../cli/values.ts'
import { UserError } from '../errors.ts'
import { USER_COLUMNS } from '../site/discover.ts'
import { didYouMean } from '../suggest.ts'
import type { Configured } from './settings.ts'

const name = z.string().trim().min(1, 'is empty')
const names = z.array(name, 'expected a list')

/** The reader of the option of the same meaning, as a step of the schema. */
function readBy<T>(read: (text: string) => T) {
  return (value: string | number, context: z.RefinementCtx<string | number>): T => {
    try {
      return read(String(value))
    } catch (error) {
      if (!(error instanceof UserError)) throw error
      context.addIssue({ code: 'custom', message: error.message })
      return z.NEVER
    }
  }
}

const age = z.union([z.string(), z.number()], 'expected an age such as 7d, or 0')
const limit = z.union([z.string(), z.number()], 'expected a number, or a percentage such as "50%"')

const SCHEMA = z.strictObject({
  database: name.optional(),
  time_zone: name.transform(readBy(zoneFrom)).optional(),
  protect: names.optional(),
  grace: age.transform(readBy(graceFrom)).optional(),
  max_delete: limit.transform(readBy(maxDeleteFrom)).optional(),
  cascade: names.optional(),
  set_null: z.array(name.transform(readBy(columnFrom)), 'expected a list').optional(),
  keep: names.optional(),
  tables: z.strictObject({ users: name.optional(), email_addresses: name.optional() }).optional(),
  columns: z.strictObject(optionalNames(USER_COLUMNS)).optional(),
  archive: z.union([name, z.literal(false)], 'expected a directory, or false').optional(),
})

/**
 * Returns the settings that the content of a configuration file means.
 * Throws a UserError (invalid) with a line for every problem.
 */
export function checkConfig(content: unknown, file: { name: string; directory: string }): Configured {
  const { data, error } = SCHEMA.safeParse(content)
  if (!data) throw problemsOf(file.name, error.issues)
  return {
    database: data.database,
    timeZone: data.time_zone,
    protect: data.protect,
    grace: data.grace,
    maxDelete: data.max_delete,
    rules: { cascade: data.cascade, setNull: data.set_null, keep: data.keep },
    names: {
      users: data.tables?.users,
      emailAddresses: data.tables?.email_addresses,
      columns: data.columns,
    },
    archive: typeof data.archive === 'string' ? resolve(file.directory, data.archive) : data.archive,
  }
}

function graceFrom(text: string): string {
  graceStart(text, { now: new Date(), zone: 'UTC' })
  return text
}

function optionalNames<K extends string>(keys: readonly K[]) {
  return Object.fromEntries(keys.map((key) => [key, name.optional()])) as Record<
    K,
    z.ZodOptional<typeof name>
  >
}

function problemsOf(file: string, issues: readonly z.core.$ZodIssue[]): UserError {
  const problems = issues.flatMap(linesOf)
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  return new UserError([`${file} has ${count}:`, ...problems].join('\n'), { kind: 'invalid' })
}

function linesOf(issue: z.core.$ZodIssue): string[] {
  const path = issue.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
  const place = path.replace(/^\./, '')
  if (issue.code !== 'unrecognized_keys') return [`  ${place === '' ? '' : `${place}: `}${issue.message}`]
  const known = KNOWN_KEYS[place] ?? []
  return issue.keys.map(
    (key) => `  ${place === '' ? '' : `${place}.`}${key}: unknown key${didYouMean(key, known)}`,
  )
}

const KNOWN_KEYS: Record<string, readonly string[]> = {
  '': Object.keys(SCHEMA.shape),
  tables: Object.keys(SCHEMA.shape.tables.unwrap().shape),
  columns: USER_COLUMNS,
}
