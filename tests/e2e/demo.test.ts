import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const DEMO = fileURLToPath(new URL('../../.cache/demo/demo.js', import.meta.url))

test('the demo is short, also where there is no terminal, and tells the true totals', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [DEMO])
  expect(stdout.split('\n').length).toBeLessThan(70)
  expect(stdout).toContain('accounts, bots included')
  expect(stdout).toMatch(/\n920 candidates: \d+ can be deleted/)
  expect(stdout).toMatch(/\n\d+ users to delete, of 920 candidates\n/)
  expect(stdout).toContain('\nTry next:\n')
})
