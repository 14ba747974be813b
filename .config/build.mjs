import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readdir, unlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build, transform } from 'esbuild'
import { startUpPlugins } from './start-up.mjs'
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

const TARGET = { platform: 'node', target: 'node20.19', minify: true, logLevel: 'warning' }

/** What ships brings its libraries along, save the two that hold native code; what serves development does not. */
const BUNDLES = [
  {
    // What another thread runs begins in a file of its own.
    entries: ['src/cli/main.ts', 'src/db/sqlite/line-thread.ts'],
    to: 'dist',
    external: ['better-sqlite3/build/*', 'pg', 'pg-native'],
    // Node takes a third longer to load as many ES modules; esbuild splits nothing else, so they are rewritten after it.
    commonJs: true,
    // In this order. All commands but help go on to select users, as this one does.
    neededFirst: ['src/cli/run.ts', 'src/cli/actions/list-unverified.ts'],
  },
  { entries: ['tests/demo/demo.ts'], to: '.cache/demo', packages: 'external' },
  { entries: ['tests/bench/bench.ts'], to: '.cache/bench', packages: 'external' },
]

for (const { entries, to, ...how } of BUNDLES) {
  if (entries.every((entry) => existsSync(join(root, entry)))) await bundle(entries, to, how)
}
await compile()

async function bundle(entryPoints, to, { commonJs, neededFirst, ...resolution }) {
  const options = {
    ...TARGET,
    absWorkingDir: root,
    entryPoints,
    entryNames: '[name]',
    outdir: to,
    bundle: true,
    splitting: true,
    format: 'esm',
    sourcemap: commonJs ? 'inline' : true,
    metafile: true,
    write: !commonJs,
    ...(commonJs && { outExtension: { '.js': '.cjs' }, define: { 'import.meta.url': 'thisModule.url' } }),
    ...resolution,
  }
  const plugins = neededFirst ? await startUpPlugins(options, neededFirst) : []
  const { metafile, outputFiles } = await build({ ...options, plugins })
  const written = commonJs
    ? await Promise.all(outputFiles.map(writeAsCommonJs)).then((files) => files.flat())
    : Object.keys(metafile.outputs)
  for (const asset of ASSETS) await copyFile(join(root, asset), join(root, to, basename(asset)))
  await writeFile(join(root, to, LICENSES), await thirdPartyLicenses(root, Object.keys(metafile.inputs)))
  await removeStale(join(root, to), [...written, ...ASSETS, LICENSES])
}

/** Without it, the program only starts more slowly; where its native parts are missing, it can be built all the same. */
async function compile() {
  // Options for V8 belong to what it compiles: of whoever builds they would not be those of whoever starts the program.
  const env = { ...process.env, NODE_OPTIONS: '' }
  await promisify(execFile)(process.execPath, [join(root, '.config/compile.mjs')], { env }).catch(() =>
    process.stderr.write('warning: what has been built could not be started to compile it beforehand\n'),
  )
}

/** Returns the paths of the module and of its source map. */
async function writeAsCommonJs({ path, text }) {
  const usesUrl = /\bthisModule\b/.test(text)
  const { code, map } = await transform(text, {
    ...TARGET,
    format: 'cjs',
    supported: { 'dynamic-import': false },
    sourcemap: 'external',
    sourcefile: path,
    banner: usesUrl
      ? "const thisModule={get url(){return require('node:url').pathToFileURL(__filename).href}};"
      : '',
  })
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`)
  await writeFile(`${path}.map`, map)
  return [path, `${path}.map`]
}

/** Only after the new files are there: somebody may be running the old ones. */
async function removeStale(directory, current) {
  const names = new Set(current.map((path) => basename(path)))
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isFile() && !names.has(entry.name)) await unlink(join(directory, entry.name))
  }
}
