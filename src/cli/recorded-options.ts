import { type Limit, limitText } from '../values/limit.ts'

/**
 * Options that the ledger does not keep as given: of those that name people how many, and never a secret, an address, or
 * what has been read into something else.
 */
const NOT_AS_GIVEN: Readonly<Record<string, 'counted' | 'never'>> = {
  user: 'counted',
  protect: 'counted',
  email: 'counted',
  firstName: 'counted',
  lastName: 'counted',
  preview: 'counted',
  from: 'never',
  replyTo: 'never',
  listUnsubscribe: 'never',
  linkTemplate: 'never',
  salt: 'never',
  smtpUrl: 'never',
}

/** Returns the options of a command as the ledger has them. */
export function recordedOptions(options: object): Record<string, unknown> {
  const recorded = Object.entries(options).filter(([name]) => NOT_AS_GIVEN[name] !== 'never')
  return Object.fromEntries(
    recorded.map(([name, value]) => [
      name,
      isCounted(name) ? `${Array.isArray(value) ? value.length : 1} given` : typed(value),
    ]),
  )
}

/** True for an option of which the ledger has only how many were given. */
export function isCounted(option: string): boolean {
  return NOT_AS_GIVEN[option] === 'counted'
}

/** Of the options that the ledger keeps, only limits have been read into something else. */
function typed(value: unknown): unknown {
  return typeof value === 'object' && value && 'kind' in value ? limitText(value as Limit) : value
}
