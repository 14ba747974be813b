import type { Cell } from '../../db/dialect.ts'
import { isSameCell } from '../../db/image.ts'
import type { Shape } from '../../site/discover.ts'
import type { UserColumn } from '../../site/site-names.ts'

/** The values of a row, by the names of their columns. */
export type Cells = ReadonlyMap<string, Cell>

/** `alike`: equal in everything, but many people are. */
export type Sameness = 'same' | 'alike' | 'other'

/** What a person seldom changes all at once. */
const NAMES: readonly UserColumn[] = ['username', 'email', 'password']

/** Password hashes that tell nobody apart: unusable in the old short way, and those without salt. */
const ANYBODYS = /^!.{0,39}$|^(unsalted_)?(md5|sha1)\$\$|^[0-9a-f]{32}$/i

/**
 * Returns whether both rows, which have the same key, are one person, who may have logged in since, or changed a name,
 * an address or the password. Without the instant of joining, only the password can tell: its salt is nobody else's.
 */
export function sameUser(columns: Shape['userColumns'], archived: Cells, found: Cells): Sameness {
  const password = String(archived.get(columns.get('password') ?? '') ?? '')
  const isKept = (meaning: UserColumn) => {
    const name = columns.get(meaning)
    if (name === undefined || (meaning === 'password' && ANYBODYS.test(password))) return false
    return (archived.get(name) ?? '') !== '' && isEqual(name, archived, found)
  }
  const joined = columns.get('date_joined')
  const isTold =
    joined !== undefined && archived.has(joined)
      ? isKept('date_joined') && NAMES.some(isKept)
      : isKept('password')
  if (isTold) return 'same'
  const isAlike = [...archived.keys()].every((name) => !found.has(name) || isEqual(name, archived, found))
  if (!isAlike) return 'other'
  return isKept('username') || isKept('email') ? 'same' : 'alike'
}

/** True when both have the same value there. */
export function isEqual(name: string, archived: Cells, found: Cells): boolean {
  return isSameCell(archived.get(name), found.get(name))
}
