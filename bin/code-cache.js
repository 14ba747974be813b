const { readFileSync, statSync } = require('node:fs')
const { wrap } = require('node:module')
const { dirname } = require('node:path')
const { Script } = require('node:vm')

/** What Node puts before a module makes its first line longer. */
const HEAD = wrap('').indexOf('\n')

/** The Node at work. V8 refuses the code of another version, but may not know that of another machine or build. */
const NODE = `${process.version}-${process.arch}-${statSync(process.execPath).size}`

/** Returns the file that holds what this Node has compiled of a module. */
const codeOf = (filename) => `${filename}.${NODE}.code`

/**
 * From now on, modules of the directory (*.cjs) are loaded with what Node had compiled of them when the program was
 * built, if this is the same Node: to compile them is a good part of what a short command does. (Node 22 offers as much,
 * `enableCompileCache`, but takes the code from /tmp, where anybody can have put it.)
 *
 * Returns the scripts by their files, as they are loaded. See https://v8.dev/blog/code-caching.
 */
function loadCompiled(directory) {
  const scripts = new Map()
  const loadModule = require.extensions['.js']
  require.extensions['.cjs'] = (module, filename) => {
    if (dirname(filename) !== directory) return loadModule(module, filename)
    const script = new Script(wrap(readFileSync(filename, 'utf8')), {
      filename,
      columnOffset: -HEAD,
      cachedData: compiled(filename),
    })
    scripts.set(filename, script)
    const { exports } = module
    script.runInThisContext().call(exports, exports, (id) => module.require(id), module, filename, directory)
  }
  return scripts
}

/** Undefined where there is none: only what a short command needs is kept. */
function compiled(filename) {
  try {
    return readFileSync(codeOf(filename))
  } catch {
    return undefined
  }
}

module.exports = { codeOf, loadCompiled }
