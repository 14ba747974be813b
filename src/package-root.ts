import { existsSync, readFileSync } from 'node:fs'

/** Returns the package's own directory, with a slash at its end: the code lies at different depths in src and dist. */
export function packageRoot(): URL {
  let directory = new URL('.', import.meta.url)
  while (!existsSync(new URL('package.json', directory))) {
    const parent = new URL('..', directory)
    if (parent.href === directory.href) throw new Error('the package is incomplete: no package.json')
    directory = parent
  }
  return directory
}

/** Returns the version that the package's own package.json names. */
export function packageVersion(): string {
  const text = readFileSync(new URL('package.json', packageRoot()), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
