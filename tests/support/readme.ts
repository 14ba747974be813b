import { readFileSync } from 'node:fs'

/** A command line of the README and what it shows under it. */
export interface Shown {
  readonly command: string
  readonly output: string
}

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** Returns the content of the code blocks in this language, without their indentation. */
export function blocks(language: string): string[] {
  const fenced = new RegExp(`^( *)\`\`\`${language}\n(.*?)^ *\`\`\`$`, 'gms')
  return [...README.matchAll(fenced)].map(([, indent = '', block = '']) =>
    block.replace(new RegExp(`^${indent}`, 'gm'), '').trimEnd(),
  )
}

/** Returns the commands of the console blocks, in the order in which they are to run. */
export function session(): Shown[] {
  return blocks('console').flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const [command = '', ...output] = text.trimEnd().split('\n')
        return { command, output: output.join('\n') }
      }),
  )
}

/** Returns the keys of each report, by the command in its row: what stands in brackets belongs to the key before it. */
export function jsonKeys(): Map<string, { readonly always: string[]; readonly sometimes: string[] }> {
  const [, section = ''] = /^## JSON$(.*?)^## /ms.exec(README) ?? []
  const rows = [...section.matchAll(/^\| `(.+?)` \| (.+) \|$/gm)]
  return new Map(
    rows.map(([, command = '', cell = '']) => {
      const [always = '', sometimes = ''] = cell.replaceAll(/ \(.*?\)/g, '').split('; when there are any: ')
      return [command, { always: names(always), sometimes: names(sometimes) }]
    }),
  )
}

function names(text: string): string[] {
  const [list = ''] = text.split(':')
  return [...list.matchAll(/`(\w+)`/g)].map(([, name = '']) => name)
}
