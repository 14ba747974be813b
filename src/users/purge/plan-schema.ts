import * as z from 'zod'
import { dateOf } from '../../django/datetime.ts'
import { SITE_DATABASE, TABLE_PLACE } from '../../site/site-database-schema.ts'
import { GUARD_NAMES, INCLUDABLE } from '../criteria.ts'
import { PLAN_FORMAT, type PlanHeader } from './plan-header.ts'

const names = z.array(z.string())
const count = z.int().min(0)
const counts = z.record(z.string(), count)
const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/)
  .refine((text) => !Number.isNaN(dateOf(text).getTime()))

/** Without the users named and the limit: the lines of the file are these. */
const selection = z.strictObject({
  cutoff: instant,
  joinedBefore: instant.optional(),
  neverLoggedIn: z.boolean().optional(),
  reminded: z.strictObject({ before: instant, at: instant }).optional(),
  emailDomains: names.optional(),
})

const guards = z.strictObject({
  recentAfter: instant.optional(),
  include: z.array(z.enum(INCLUDABLE)).optional(),
  protect: names.optional(),
  references: names.optional(),
})

const rules = z.strictObject({
  cascade: names.optional(),
  setNull: names.optional(),
  keep: names.optional(),
})

/** Nothing unknown within the criteria: to overlook a condition would delete more than was reviewed. */
const HEADER = z.object({
  usermgmt: z.string(),
  plan: z.literal(PLAN_FORMAT),
  database: SITE_DATABASE,
  places: z.record(z.string(), TABLE_PLACE).optional(),
  made: instant,
  criteria: z.strictObject({ selection, guards, rules: z.array(rules) }),
  counts: z.object({
    since: instant,
    matched: count,
    toDelete: count,
    kept: z.partialRecord(z.enum(GUARD_NAMES), count),
    tables: counts,
    nulled: counts,
  }),
})

/** Returns the content as a header; undefined when it is none. */
export function planHeaderFrom(content: unknown): PlanHeader | undefined {
  return HEADER.safeParse(content).data
}
