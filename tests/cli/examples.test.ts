import { describe, expect, test } from 'vitest'
import { CREATE_USER_EXAMPLES } from '../../src/cli/commands/create-user.ts'
import { LIST_EXAMPLES } from '../../src/cli/commands/list-unverified.ts'
import { MIGRATE_EXAMPLES } from '../../src/cli/commands/migrate.ts'
import { PURGE_EXAMPLES } from '../../src/cli/commands/purge.ts'
import { describeEachDatabase } from '../support/databases.ts'
import { exampleSite } from './example-site.ts'
import { usermgmt } from './run.ts'

/** Runs a line of the shell, as far as the examples need one: words, quotes and pipes. Returns what is on the screen. */
async function shell(line: string, url: string): Promise<string> {
  let screen = ''
  let stdin = ''
  const commands = line.split(' | ')
  for (const [index, command] of commands.entries()) {
    const [program, ...args] = command.split(' ').map((word) => word.replace(/^'(.*)'$/, '$1'))
    expect(program).toBe('usermgmt')
    const ran = await usermgmt(args, { stdin, env: { DATABASE_URL: url } })
    stdin = ran.stdout
    screen += index === commands.length - 1 ? ran.screen : ran.stderr
  }
  return screen
}

/** Where an archive is, and what it is called, is of the place, the time and chance. */
function asShown(screen: string): string {
  return screen.trimEnd().replace(/\S+\/purge-\w+-\w+\.ndjson\.gz/g, 'ARCHIVE')
}

describeEachDatabase('the examples in the help print what they say', (harness) => {
  const onSite = [...LIST_EXAMPLES, ...PURGE_EXAMPLES, ...CREATE_USER_EXAMPLES]

  test.each(onSite)('$command', async ({ command, output }) => {
    const { url } = await exampleSite(harness)
    expect(asShown(await shell(command, url))).toBe(asShown(output))
  })

  describe('on an empty database', () => {
    test.each(MIGRATE_EXAMPLES)('$command', async ({ command, output }) => {
      const { url } = await harness.empty()
      expect((await shell(command, url)).trimEnd()).toBe(output)
    })
  })
})
