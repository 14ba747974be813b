import { existsSync } from 'node:fs'
import { chmod } from 'node:fs/promises'
import { dirname } from 'node:path'
/** For `StartOptions.through`: no file may become larger, as on a full disk. */
export function filesUpTo(kilobytes: number): string[] {
  return ['bash', '-c', `ulimit -f ${kilobytes}; exec "$@"`, 'bash']
}

/** For `StartOptions.through`: permissions hold for the superuser as well. */
export function heedingPermissions(): string[] {
  const isSuperuser = process.getuid?.() === 0
  return isSuperuser ? ['setpriv', '--bounding-set=-dac_override,-dac_read_search'] : []
}

/** Lets nobody write beside a SQLite file, nor into a journal that is there, until the returned function is called. */
export async function closePlaceOf(database: string): Promise<() => Promise<void>> {
  const [place, journal] = [dirname(database), `${database}-journal`]
  await chmod(place, 0o500)
  if (existsSync(journal)) await chmod(journal, 0o400)
  return async () => {
    await chmod(place, 0o700)
    if (existsSync(journal)) await chmod(journal, 0o600)
  }
}
