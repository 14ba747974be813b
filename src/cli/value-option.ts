import { Option } from 'commander'
import { withName } from '../values/readers.ts'

/** Returns an option whose value is read by `read`. */
export function valueOption<T>(flags: string, description: string, read: (text: string) => T): Option {
  const option = new Option(flags, description)
  return option.argParser((text) => withName(option.long ?? flags, () => read(text)))
}

/** Returns an option that may be given several times; its value is the list. */
export function listOption<T>(flags: string, description: string, read: (text: string) => T): Option {
  const option = new Option(flags, description)
  return option.argParser<T[]>((text, values) => [
    ...(values ?? []),
    withName(option.long ?? flags, () => read(text)),
  ])
}
