const { readFileSync, statSync } = require('node:fs')
const { wrap } = require('node:module')
const { dirname } = require('node:path')
const { Script } = require('node:vm')

/** What Node puts before a module makes its first line longer. */
const HEAD = wrap('').indexOf('\n')

/** Returns the file for what this very Node has compiled of a module: V8 may not know the code of another machine or build. */
function codeOf(filename) {
  return `${filename}.${process.version}-${process.arch}-${statSync(process.execPath).size}.code`
}

/**
 * From now on, modules of the directory (*.cjs) are loaded with what Node had compiled of them when the program was
 * built, if this is the same Node with the same options for V8: to compile them is a good part of what a short command
 * does. (Node's own `enableCompileCache` would need a directory where nobody else can put such code.)
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
    script.runInThisContext().call(exports, exports, module.require.bind(module), module, filename, directory)
  }
  return scripts
}

/**
 * Undefined where there is none, as for what a short command does not need, or the module has changed since: of one that
 * is just as long, V8 would not notice.
 */
function compiled(filename) {
  try {
    const code = codeOf(filename)
    return statSync(code).mtimeMs >= statSync(filename).mtimeMs ? readFileSync(code) : undefined
  } catch {
    return undefined
  }
}

module.exports = { codeOf, loadCompiled }
