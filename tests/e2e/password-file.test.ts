import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCommand } from '../support/command.ts'
import { describeDatabase } from '../support/databases.ts'
import { directoryOfTest } from '../support/directory.ts'
import { createSite } from '../support/sites.ts'

describeDatabase('postgres', '~/.pgpass', (harness) => {
  test('gives the password, and nobody says a word', async () => {
    const { url } = await createSite(harness, 'django5.2-allauth65')
    const { hostname, port, username, password, pathname } = new URL(url)
    const home = await directoryOfTest()
    const entry = [hostname, port, '*', decodeURIComponent(username), decodeURIComponent(password)]
    await writeFile(join(home, '.pgpass'), `${entry.join(':')}\n`, { mode: 0o600 })
    const database = `postgres://${username}@${hostname}:${port}${pathname}`
    const args = ['list', '--since', '2020-01-01', '--format', 'count', '--quiet', '--database', database]
    const ran = await runCommand(args, { through: ['env', `HOME=${home}`] })
    expect(ran).toMatchObject({ exit: 0, stdout: '0\n', stderr: '' })
  })
})
