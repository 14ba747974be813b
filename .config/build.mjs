import { existsSync } from 'node:fs'
import { copyFile, readdir, unlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { thirdPartyLicenses } from './third-party.mjs'

const LICENSES = 'THIRD-PARTY-LICENSES.txt'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Read at run time from beside the code that needs it. */
const ASSETS = [
  'src/django/common-passwords.txt.gz',
  'src/mail/templates/reminder.subject.liquid',
  'src/mail/templates/reminder.txt.liquid',
  'src/mail/templates/reminder.html.liquid',
]

/** What ships brings its libraries along, save the two that hold native code; what serves development does not. */
const BUNDLES = [
  { entry: 'src/cli/main.ts', to: 'dist', external: ['better-sqlite3', 'pg', 'pg-native'] },
  { entry: 'tests/demo/demo.ts', to: '.cache/demo', packages: 'external' },
  { entry: 'tests/bench/bench.ts', to: '.cache/bench', packages: 'external' },
]

for (const { entry, to, ...resolution } of BUNDLES) {
  if (existsSync(join(root, entry))) await bundle(entry, to, resolution)
}

async function bundle(entry, to, resolution) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outdir: to,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    minifyWhitespace: true,
    metafile: true,
    logLevel: 'warning',
    ...resolution,
  })
  for (const asset of ASSETS) await copyFile(join(root, asset), join(root, to, basename(asset)))
  await writeFile(join(root, to, LICENSES), await thirdPartyLicenses(root, Object.keys(metafile.inputs)))
  await removeStale(join(root, to), [...Object.keys(metafile.outputs), ...ASSETS, LICENSES])
}

/** Only after the new files are there: somebody may be running the old ones. */
async function removeStale(directory, current) {
  const names = new Set(current.map((path) => basename(path)))
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isFile() && !names.has(entry.name)) await unlink(join(directory, entry.name))
  }
}
