import type { ListedUser, ListField } from '../../users/list-fields.ts'
import { plainText } from './plain-text.ts'

/** Returns the field as one line of plain text; empty where there is nothing. */
export function cellText(user: ListedUser, field: ListField): string {
  return plainText(cellOf(user, field))
}

function cellOf(user: ListedUser, field: ListField): string {
  if (field === 'kept_because') return (user.kept_because ?? []).join(', ')
  if (field === 'addresses') return (user.addresses ?? []).map(addressText).join(', ')
  return String(user[field] ?? '')
}

function addressText({ email, verified, primary }: NonNullable<ListedUser['addresses']>[number]): string {
  return `${email} (${verified ? 'verified' : 'unverified'}${primary ? ', primary' : ''})`
}
