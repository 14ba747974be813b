import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import { describeDatabase } from '../support/databases.ts'
import { createSite } from '../support/sites.ts'

const BIN = fileURLToPath(new URL('../../bin/usermgmt.js', import.meta.url))
/** Select Graphic Rendition: colours and weights (ECMA-48). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const COLORS = /\u001b\[[\d;]*[1-9][\d;]*m/

const IN_TERMINAL = fileURLToPath(new URL('../support/in-terminal.py', import.meta.url))

describeDatabase('sqlite', 'at a prompt on a real terminal', (harness) => {
  test.each([
    ['Ctrl-C', '\u0003', 130],
    ['Ctrl-D', '\u0004', 130],
    ['another number', '4\r', 3],
    ['the number', '3\r', 0],
  ])('%s', async (_, typed, exit) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, 3)
    const command = [process.execPath, BIN, 'purge', '--since', '2020-01-01', '--no-archive']
    const { stdout } = await promisify(execFile)('python3', [
      ...[IN_TERMINAL, 'Type the number', typed],
      ...[...command, '--database', site.url],
    ])
    expect(JSON.parse(stdout)).toMatchObject({ exit, answered: true })
    expect(await site.db.$count(site.tables.users)).toBe(exit === 0 ? 0 : 3)
  })

  test.each([
    ['with', []],
    ['without', ['--no-color']],
  ])('%s colours', async (how, options) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, 3)
    const args = ['purge', '--since', '2020-01-01', '--no-archive', ...options, '--database', site.url]
    const command = [IN_TERMINAL, 'Type the number', '3\r', process.execPath, BIN, ...args]
    const { screen } = JSON.parse((await promisify(execFile)('python3', command)).stdout)
    const asked = screen.slice(screen.indexOf('This deletes') - 20)
    expect(asked).toContain('Type the number')
    expect(COLORS.test(asked)).toBe(how === 'with')
  })
})
