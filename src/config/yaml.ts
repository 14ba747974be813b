import { parseDocument } from 'yaml'

/**
 * Returns what the text says. Throws the first error, and the first warning as well: what is not understood, such as an
 * unknown tag, would be left out, and told with the line that it is in, which may hold a password.
 */
export function parseYaml(text: string): unknown {
  const document = parseDocument(text)
  const [problem] = [...document.errors, ...document.warnings]
  if (problem) throw problem
  return document.toJS()
}

/** Returns where an object has a key for the second time (`line 1, column 8`). The text is JSON, which is YAML as well. */
export function keyTwice(json: string): string | undefined {
  const [place] = parseDocument(json).errors.flatMap(({ code, linePos }) =>
    code === 'DUPLICATE_KEY' && linePos ? [`line ${linePos[0].line}, column ${linePos[0].col}`] : [],
  )
  return place
}
