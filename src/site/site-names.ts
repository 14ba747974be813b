/** Names for what discovery cannot know; all optional, from the configuration file. */
export interface SiteNames {
  readonly users?: string | undefined
  readonly emailAddresses?: string | undefined
  readonly columns?: Partial<Record<UserColumn, string | undefined>> | undefined
}

/** The column of allauth's addresses that refers to the user. */
export const ADDRESS_USER = 'user_id'

/** The columns of a Django user that the tool knows by meaning. A custom user model may lack most of them. */
export const USER_COLUMNS = [
  'username',
  'email',
  'first_name',
  'last_name',
  'password',
  'last_login',
  'date_joined',
  'is_active',
  'is_staff',
  'is_superuser',
] as const
export type UserColumn = (typeof USER_COLUMNS)[number]
