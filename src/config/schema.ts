import { resolve } from 'node:path'
import * as z from 'zod'
import { UserError } from '../errors.ts'
import { USER_COLUMNS } from '../site/site-names.ts'
import { didYouMean } from '../suggest.ts'
import { ageFrom, zoneFrom } from '../values/dates.ts'
import { limitFrom } from '../values/limit.ts'
import { columnFrom } from '../values/readers.ts'
import type { Configured } from './configured.ts'
import { MAIL_SCHEMA, mailOptionsFrom } from './mail-schema.ts'
import { POLICY_SCHEMA, policyFrom } from './policy-schema.ts'
import { kindOf, wordsFor } from './problem-words.ts'
import { readBy } from './read-by.ts'
import { age, limit, text, texts } from './values.ts'

const SCHEMA = z.strictObject({
  database: text.optional(),
  time_zone: text.transform(readBy(zoneFrom)).optional(),
  protect: texts.optional(),
  grace: age.transform(readBy(ageFrom)).optional(),
  max_delete: limit.transform(readBy(limitFrom)).optional(),
  cascade: texts.optional(),
  set_null: z.array(text.transform(readBy(columnFrom)), 'expected a list').optional(),
  keep: texts.optional(),
  references: z.array(text.transform(readBy(columnFrom)), 'expected a list').optional(),
  tables: z.strictObject({ users: text.optional(), email_addresses: text.optional() }).optional(),
  columns: z.strictObject(optionalNames(USER_COLUMNS)).optional(),
  archive: z.union([text, z.literal(false)], 'expected a directory, or false').optional(),
  mail: MAIL_SCHEMA.optional(),
  policy: POLICY_SCHEMA.optional(),
})

/**
 * Returns the settings that the content of a configuration file means.
 * Throws a UserError (invalid) with a line for every problem.
 */
export function checkConfig(content: unknown, file: { name: string; directory: string }): Configured {
  if (kindOf(content) !== 'an object') throw notSettings(file.name, content)
  const { data, error } = SCHEMA.safeParse(content, { error: wordsFor })
  if (!data) throw problemsOf(file.name, error.issues)
  return {
    database: data.database,
    timeZone: data.time_zone,
    protect: data.protect,
    grace: data.grace,
    references: data.references,
    maxDelete: data.max_delete,
    rules: { cascade: data.cascade, setNull: data.set_null, keep: data.keep },
    names: {
      users: data.tables?.users,
      emailAddresses: data.tables?.email_addresses,
      columns: data.columns,
    },
    archive: typeof data.archive === 'string' ? resolve(file.directory, data.archive) : data.archive,
    mail: data.mail && mailOptionsFrom(data.mail, file.directory),
    policy: data.policy && policyFrom(data.policy),
  }
}

function optionalNames<K extends string>(keys: readonly K[]) {
  return Object.fromEntries(keys.map((key) => [key, text.optional()])) as Record<
    K,
    z.ZodOptional<typeof text>
  >
}

function notSettings(file: string, content: unknown): UserError {
  return new UserError(`${file} holds ${kindOf(content)}, not settings`, {
    kind: 'invalid',
    hint: 'each setting is a name with a value, such as "grace": "14d" in JSON, or grace: 14d in YAML',
  })
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
  if (issue.code !== 'unrecognized_keys') return [`  ${place}: ${issue.message}`]
  const known = KNOWN_KEYS[place] ?? []
  return issue.keys.map(
    (key) => `  ${place === '' ? '' : `${place}.`}${key}: unknown key${didYouMean(key, known)}`,
  )
}

const KNOWN_KEYS: Record<string, readonly string[]> = {
  '': Object.keys(SCHEMA.shape),
  tables: Object.keys(SCHEMA.shape.tables.unwrap().shape),
  columns: USER_COLUMNS,
  mail: Object.keys(MAIL_SCHEMA.shape),
  policy: Object.keys(POLICY_SCHEMA.shape),
}
