/** Returns Django's words for a text of more characters (code points) than allowed, or undefined. */
export function lengthProblem(text: string, maxLength = Number.POSITIVE_INFINITY): string | undefined {
  const length = [...text].length
  return length > maxLength
    ? `Ensure this value has at most ${maxLength} characters (it has ${length}).`
    : undefined
}
