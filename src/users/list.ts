import type { Site } from '../site/site.ts'
import type { Criteria, GuardName } from './criteria.ts'

export const LIST_FIELDS = [
  'id',
  'username',
  'email',
  'last_login',
  'date_joined',
  'kept_because',
  'first_name',
  'last_name',
  'is_active',
  'is_staff',
  'addresses',
] as const
export type ListField = (typeof LIST_FIELDS)[number]
export const DEFAULT_FIELDS: readonly ListField[] = LIST_FIELDS.slice(0, 6)
export const SORT_FIELDS = ['id', 'username', 'email', 'last_login', 'date_joined'] as const
export type SortField = (typeof SORT_FIELDS)[number]

export interface ListedAddress {
  readonly email: string
  readonly verified: boolean
  readonly primary: boolean
}

/** One candidate with the fields asked for; null where the user model has no such column, or the database holds NULL. */
export type ListedUser = {
  readonly [F in ListField]?: F extends 'kept_because'
    ? readonly GuardName[]
    : F extends 'addresses'
      ? readonly ListedAddress[]
      : F extends 'is_active' | 'is_staff'
        ? boolean | null
        : string | null
}

export interface ListRequest {
  readonly criteria: Criteria
  readonly fields: readonly ListField[]
  readonly sort?: { readonly field: SortField; readonly descending: boolean } | undefined
  readonly show: 'all' | 'kept' | 'deletable'
}

/** How the candidates divide. A user whom two guards keep counts for both. */
export interface Tally {
  readonly matched: number
  readonly deletable: number
  readonly kept: Readonly<Partial<Record<GuardName, number>>>
}

/** Yields the candidates, a page at a time, in the order asked for (by key when none). */
export declare function listUsers(site: Site, request: ListRequest): AsyncGenerator<ListedUser>

/** Returns how the candidates divide, in one statement. */
export declare function tally(site: Site, criteria: Criteria): Promise<Tally>

/** Returns one sentence for each condition of the selection, with how many users remain: why nothing matched. */
export declare function explainNothing(site: Site, criteria: Criteria): Promise<string[]>
