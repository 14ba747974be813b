import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { build } from 'esbuild'

/** What makes the bundle start quickly: esbuild's plugins for it. */
export async function startUpPlugins(options, neededFirst) {
  const plugins = [WITHOUT_PROGRAMS, KNOWN_BINARY]
  const { metafile } = await build({ ...options, plugins, metafile: true, write: false })
  return [...plugins, together(options.absWorkingDir, lazyModules(metafile), neededFirst)]
}

/** commander can start commands that are programs of their own. There are none here, and Node's part for it loads slowly. */
const WITHOUT_PROGRAMS = replacing('node:child_process', 'commander', '')

/** better-sqlite3 lets a package look for its binary in a dozen places, although it installs it in this one. */
const KNOWN_BINARY = replacing(
  'bindings',
  'better-sqlite3',
  "module.exports = () => require('better-sqlite3/build/Release/better_sqlite3.node')",
)

function replacing(module, importer, contents) {
  const from = new RegExp(`[\\\\/]node_modules[\\\\/]${importer}[\\\\/]`)
  return {
    name: `${module} for ${importer}`,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: new RegExp(`^${module}$`) }, (found) =>
        from.test(found.importer)
          ? { path: module, namespace: importer, pluginData: found.resolveDir }
          : undefined,
      )
      onLoad({ filter: /./, namespace: importer }, ({ pluginData }) => ({ contents, resolveDir: pluginData }))
    },
  }
}

/** Returns the modules of our own that are imported dynamically. */
function lazyModules({ inputs }) {
  const imports = Object.values(inputs).flatMap((input) => input.imports)
  return new Set(
    imports
      .filter(({ kind, path }) => kind === 'dynamic-import' && path.startsWith('src/'))
      .map(({ path }) => path),
  )
}

/**
 * Lets each of the modules import what is needed first anyway. esbuild makes a file of the modules that the same dynamic
 * imports reach: forty small ones for each command, for no two commands need quite the same. So it becomes one for each
 * of what is needed first.
 */
function together(root, modules, neededFirst) {
  return {
    name: 'together',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, async ({ path }) => {
        const module = relative(root, path).replaceAll('\\', '/')
        if (!modules.has(module)) return undefined
        const before = neededFirst.slice(
          0,
          neededFirst.includes(module) ? neededFirst.indexOf(module) : undefined,
        )
        const imports = before.map((each) => `import ${JSON.stringify(join(root, each))}\n`)
        return { contents: `${await readFile(path, 'utf8')}${imports.join('')}`, loader: 'ts' }
      })
    },
  }
}
