import type { Instant } from '../../src/django/datetime.ts'

/** An account of the demo: what goes into the tables of Django and allauth. */
export interface Account {
  readonly username: string
  readonly email: string
  readonly joined: Date
  readonly firstName?: string
  readonly lastName?: string
  /** Never, when it is left out. */
  readonly lastLogin?: Date
  /** Of the primary address. */
  readonly verified?: boolean
  readonly secondAddress?: string
  readonly provider?: 'google' | 'github'
  readonly staff?: boolean
  readonly superuser?: boolean
  readonly deactivated?: boolean
  readonly posts?: readonly Post[]
}

interface Post {
  readonly title: string
  readonly published: Date
}

/** What the demo calls today does not move; only recent sign-ups are counted back from the real now. */
export const REFERENCE = new Date('2025-01-01T00:00:00Z')
export const CUTOFF = new Date('2020-01-01T00:00:00Z')
export const OPENED = new Date('2016-03-01T00:00:00Z')

/** Returns the instant as Django would have written it: to the microsecond. */
export function microseconds(date: Date, micros: number): Instant {
  return date.toISOString().replace('Z', `${String(micros % 1_000).padStart(3, '0')}Z`)
}
