import type { ForeignKey } from '../db/catalog.ts'
import type { Shape } from './discover.ts'
import { registeredTimes } from './register.ts'

/**
 * Rows that show when a user was there: `last_login` knows of no request with a token, and of none in a session that
 * began long ago.
 */
export interface SignOfLife {
  readonly key: ForeignKey
  /** From the rows that the key refers to, where these are not users. */
  readonly through?: ForeignKey
  readonly times: readonly string[]
}

/** Returns the signs of life that this site keeps, those in columns of a type that `isTime`. */
export function signsOfLife({ catalog, users }: Shape, isTime: (type: string) => boolean): SignOfLife[] {
  const owned = catalog.foreignKeys.filter(({ references }) => references === users)
  return catalog.foreignKeys.flatMap((key): SignOfLife[] => {
    const times = registeredTimes(key).flatMap(({ name, type }) => (isTime(type) ? [name] : []))
    if (times.length === 0) return []
    if (key.references === users) return [{ key, times }]
    const steps = owned.filter(({ table }) => table === key.references)
    return steps.map((through) => ({ key, through, times }))
  })
}
