import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { checkDirectory, makeDirectory } from '../directory.ts'
import { UserError } from '../errors.ts'
import { fileReason } from '../file-error.ts'
import { sourceOf } from './message.ts'
import type { Transport } from './transport.ts'

/** Throws a UserError when no mail could be written into the directory. It need not be there, and is not made. */
export async function checkOutbox(directory: string): Promise<void> {
  await checkDirectory(directory).catch(cannotWriteTo(directory))
}

/** Returns a transport that writes each mail into a file of the directory, for nobody but its owner to read. */
export async function outboxTransport(directory: string): Promise<Transport> {
  const cannotWrite = cannotWriteTo(directory)
  await checkOutbox(directory)
  await makeDirectory(directory).catch(cannotWrite)
  let written = 0
  return {
    async send(message) {
      written += 1
      const [id = ''] = message.messageId.slice(1).split('@')
      const name = `${String(written).padStart(6, '0')}-${id.slice(0, 8)}.eml`
      await writeFile(join(directory, name), await sourceOf(message), { mode: 0o600, flag: 'wx' }).catch(
        cannotWrite,
      )
      return { kind: 'sent', reply: `written to ${name}` }
    },
    async close() {},
  }
}

function cannotWriteTo(directory: string): (error: unknown) => never {
  return (error) => {
    throw new UserError(`the outbox ${directory} cannot be written to: ${fileReason(error)}`, {
      hint: 'name a directory that you may write: mail.outbox in the configuration file, or --outbox',
    })
  }
}
