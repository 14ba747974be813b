/** A command line and what it prints; shown in the help and run by the tests. */
export interface Example {
  readonly command: string
  readonly output: string
}

/** Returns the examples as the last part of a help text. */
export function exampleText(examples: readonly Example[]): string {
  const shown = examples.map(({ command, output }) => `$ ${command}\n${output}`.trimEnd())
  return `\nExamples:\n${shown.join('\n\n').replace(/^(?=.)/gm, '  ')}\n`
}
