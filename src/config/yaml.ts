import { parseDocument } from 'yaml'

// Named here, for a dynamic import of a bundled CommonJS package loses its names.
export { parse as parseYaml } from 'yaml'

/** Returns where an object has a key for the second time (`line 1, column 8`). The text is JSON, which is YAML as well. */
export function keyTwice(json: string): string | undefined {
  const [place] = parseDocument(json).errors.flatMap(({ code, linePos }) =>
    code === 'DUPLICATE_KEY' && linePos ? [`line ${linePos[0].line}, column ${linePos[0].col}`] : [],
  )
  return place
}
