/** Returns ` (did you mean X?)` for the candidate that the word most likely stands for, or the empty text. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  let best: string | undefined
  // A word of which about half is wrong is not a slip.
  let limit = Math.max(1, Math.floor(word.length * 0.4))
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance > limit || (distance === limit && best !== undefined)) continue
    best = candidate
    limit = distance
  }
  return best === undefined ? '' : ` (did you mean ${best}?)`
}

/** Levenshtein's distance, row by row. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
