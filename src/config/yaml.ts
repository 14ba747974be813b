import { parseDocument } from 'yaml'

// Named here, for a dynamic import of a bundled CommonJS package loses its names.
export { parse as parseYaml } from 'yaml'

/** Returns the error of a key that an object has twice. The text is JSON, which is YAML as well. */
export function keyTwice(json: string): Error | undefined {
  return parseDocument(json).errors.find(({ code }) => code === 'DUPLICATE_KEY')
}
