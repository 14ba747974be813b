import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

test('what npm packs is what runs, and what must go with it', async () => {
  const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
  })
  const [packed] = JSON.parse(stdout) as { files: { path: string }[] }[]
  const paths = packed?.files.map(({ path }) => path) ?? []
  expect([...new Set(paths.map((path) => path.split('/')[0]))].sort()).toEqual(
    ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'drizzle', 'package.json'].sort(),
  )
  expect(paths).toEqual(
    expect.arrayContaining([
      'bin/code-cache.js',
      'bin/usermgmt.js',
      'dist/main.cjs',
      'dist/main.cjs.map',
      'dist/reminder.html.liquid',
    ]),
  )
})

test('every library in the bundle has its licence beside it', async () => {
  const licences = await readFile(`${ROOT}/dist/THIRD-PARTY-LICENSES.txt`, 'utf8')
  const named = [...licences.matchAll(/^(\S+) \d\S* \(.+\)$/gm)].map(([, name]) => name)
  const maps = (await readdir(`${ROOT}/dist`)).filter((name) => name.endsWith('.map'))
  const sources = await Promise.all(
    maps.map(async (name) => JSON.parse(await readFile(`${ROOT}/dist/${name}`, 'utf8')).sources as string[]),
  )
  const bundled = sources.flat().map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1])
  expect(bundled).toContain('commander')
  // The maps that Drizzle ships lead to a directory that it does not ship.
  const missing = bundled.filter((name) => name !== undefined && name !== 'src' && !named.includes(name))
  expect(missing).toEqual([])
})
