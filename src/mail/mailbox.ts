import { domainToASCII } from 'node:url'
import addressparser from 'nodemailer/lib/addressparser'
import { emailProblem } from '../django/email.ts'
import { invalid } from '../errors.ts'

/** Whose mail it is: a name for people, and an address. */
export interface Mailbox {
  /** Empty for none. */
  readonly name: string
  readonly address: string
}

/** Returns the mailbox of `address` or `Name <address>`. Throws a UserError (invalid) when it is none, or more than one. */
export function mailboxFrom(text: string): Mailbox {
  const parsed = /[\p{Cc}\p{Zl}\p{Zp}]/u.test(text) ? [] : addressparser(text)
  const [mailbox] = parsed
  if (parsed.length !== 1 || !mailbox || mailbox.group !== undefined || !isMailable(mailbox.address)) {
    throw invalid(
      `${JSON.stringify(text)} is not the address of one sender`,
      "for example 'Example Forum <forum@example.org>'",
    )
  }
  return { name: mailbox.name, address: mailbox.address }
}

/**
 * Returns whether mail can be addressed so: what Django takes for an address, with letters of any script before the `@`
 * (RFC 6531) and no control character, which Django lets into quotes.
 */
export function isMailable(address: string): boolean {
  if (/[\p{Cc}\p{Cf}\p{Z}\p{Cs}<>,;]/u.test(address)) return false
  const at = address.lastIndexOf('@')
  return emailProblem(address.slice(0, at).replace(/[^\p{ASCII}]/gu, 'x') + address.slice(at)) === undefined
}

/** Returns the domain as the wire has it: `xn--…` for `bücher`; of an address such as `a@[192.0.2.1]` the literal. */
export function wireDomain({ address }: Mailbox): string {
  const domain = address.slice(address.lastIndexOf('@') + 1)
  return domain.startsWith('[') ? domain : domainToASCII(domain)
}
