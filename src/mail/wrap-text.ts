const WIDTH = 76

/** Returns the text with its lines broken at spaces; what has no space, such as a link, stays whole. */
export function wrapText(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n').flatMap(wrapLine)
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`
}

function wrapLine(line: string): string[] {
  if (line.length <= WIDTH && !/\t| {2}/.test(line)) return [line.trimEnd()]
  const indent = /^[ \t]*/.exec(line)?.[0] ?? ''
  const lines: string[] = []
  let current = indent
  let width = 0
  for (const word of line.trim().split(/[ \t]+/)) {
    const longer = width + 1 + lengthOf(word)
    if (width > 0 && longer > WIDTH) {
      lines.push(current)
      current = indent
      width = 0
    }
    current += width === 0 ? word : ` ${word}`
    width = width === 0 ? lengthOf(indent) + lengthOf(word) : longer
  }
  return [...lines, current.trimEnd()]
}

function lengthOf(text: string): number {
  return /^\p{ASCII}*$/u.test(text) ? text.length : [...text].length
}
