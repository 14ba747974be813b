import type { GuardName } from './criteria.ts'

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
/** `key`: what the database has for the `id` that is shown. Nobody chooses it. */
export type ListField = (typeof LIST_FIELDS)[number] | 'key'
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
