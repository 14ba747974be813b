import { expect, test } from 'vitest'
import { addCrowd } from '../support/crowd.ts'
import { describeDatabase } from '../support/databases.ts'
import { runInTerminal } from '../support/in-terminal.ts'
import { createSite } from '../support/sites.ts'

/** Select Graphic Rendition: colours and weights (ECMA-48). */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const COLORS = /\u001b\[[\d;]*[1-9][\d;]*m/

describeDatabase('sqlite', 'at a prompt on a real terminal', (harness) => {
  test.each([
    ['Ctrl-C', '\u0003', 130],
    ['Ctrl-D', '\u0004', 130],
    ['another number', '4\r', 3],
    ['the number', '3\r', 0],
  ])('%s', async (_, typed, exit) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, 3)
    const args = ['purge', '--since', '2020-01-01', '--no-archive', '--database', site.url]
    expect(await runInTerminal(args, { until: 'Type the number', type: typed })).toMatchObject({
      exit,
      shown: true,
    })
    expect(await site.db.$count(site.tables.users)).toBe(exit === 0 ? 0 : 3)
  })

  test.each([
    ['with', []],
    ['without', ['--no-color']],
  ])('%s colours', async (how, options) => {
    const site = await createSite(harness, 'django5.2-allauth65')
    await addCrowd(site, 3)
    const args = ['purge', '--since', '2020-01-01', '--no-archive', ...options, '--database', site.url]
    const { screen } = await runInTerminal(args, { until: 'Type the number', type: '3\r' })
    const asked = screen.slice(screen.indexOf('This deletes') - 20)
    expect(asked).toContain('Type the number')
    expect(COLORS.test(asked)).toBe(how === 'with')
  })
})
