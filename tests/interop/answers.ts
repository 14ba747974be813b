/** What the JSON commands in site/interop/management/commands answer. */

type Id = number

export interface Populated {
  cutoff: string
  now: string
  /** The password of every user but the bots. */
  password: string
  /** The id of each case in site/interop/population/cases.py, by its label. */
  users: Record<string, Id>
  bots: Id[]
  tables: Record<string, number>
}

export type Selected = Id[]

export interface Deleted {
  deleted: number
  tables: Record<string, number>
}

/** On PostgreSQL every value is text; on SQLite it has its storage class, a blob being 'x' and hexadecimal. */
export type Dump = Record<string, Array<Record<string, string | number | null>>>

export interface LoggedIn {
  authenticate: boolean
  allauth_username: boolean
  allauth_email: boolean
  last_login_set: boolean
  rehashed: boolean
  groups: string[]
}

export interface SignedUp {
  status: number
  location: string | null
  errors: string[]
  created: boolean
  user: {
    id: Id
    username: string
    email: string
    is_active: boolean
    last_login: string | null
    date_joined: string
  } | null
  address: { id: Id; user_id: Id; email: string; verified: boolean; primary: boolean } | null
  mails: number
  confirmation_urls: string[]
}

export interface Confirmed {
  get_status: number
  post_status: number
  location: string | null
  verified: boolean
  verified_by_get: boolean
  /** The addresses that became verified. */
  addresses: string[]
}

export interface Checked {
  pending_migrations: string[]
  check_ok: boolean
  check_messages: string[]
  content_types: number
  permissions: number
  sites: Array<{ id: Id; domain: string; name: string }>
}
