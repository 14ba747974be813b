import * as z from 'zod'
import { invalid } from '../errors.ts'
import { ageFrom, pastInstant } from '../values/dates.ts'
import { limitFrom } from '../values/limit.ts'
import { countFrom } from '../values/readers.ts'
import type { Policy } from './configured.ts'
import { readBy } from './read-by.ts'
import { age, ageAboveZero, limit, number, text } from './values.ts'

/** What `sweep` does, and when. */
export const POLICY_SCHEMA = z.strictObject({
  since: text.transform(readBy(sinceFrom)).optional(),
  remind_after: age.transform(readBy(ageFrom)).optional(),
  remind_again_after: age.transform(readBy(ageFrom)).optional(),
  max_reminders: number.transform(readBy(countFrom)).optional(),
  delete_after_reminder: ageAboveZero.transform(readBy(timeToReactFrom)).optional(),
  max_delete: limit.transform(readBy(limitFrom)).optional(),
})

/** The zone of the date is not known here. Where the day begins first, it does so 14 hours before UTC. */
function sinceFrom(when: string): string {
  pastInstant(when, { now: new Date(Date.now() + 14 * 3_600_000), zone: 'UTC' })
  return when
}

/** Elsewhere 0 means none. */
function timeToReactFrom(text: string): string {
  const age = ageFrom(text)
  if (Number.parseInt(age, 10) > 0) return age
  throw invalid(`"${text}" deletes whoever was reminded a moment ago; to delete nobody, leave it out`)
}

/** Returns the policy that the file says. */
export function policyFrom(policy: z.output<typeof POLICY_SCHEMA>): Policy {
  return {
    since: policy.since,
    remindAfter: policy.remind_after,
    remindAgainAfter: policy.remind_again_after,
    maxReminders: policy.max_reminders,
    deleteAfterReminder: policy.delete_after_reminder,
    maxDelete: policy.max_delete,
  }
}
