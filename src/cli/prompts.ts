import type { Input, Prompts } from './context.ts'
import { INTERRUPTED } from './interrupted.ts'

/** inquirer colours whatever it shows, wherever it shows it. */
const AS_IT_IS = (text: string) => text
const WITHOUT_COLORS = {
  prefix: { idle: '?', done: '✔' },
  style: { message: AS_IT_IS, answer: AS_IT_IS, help: AS_IT_IS, keysHelpTip: () => undefined },
}

/** Returns prompts on a terminal. Questions go where talk goes, so that the result can be redirected meanwhile. */
export function terminalPrompts(input: Input, outputOf: () => NodeJS.WritableStream): Prompts {
  async function ask(type: 'input' | 'password', message: string, colors: boolean): Promise<string> {
    const { default: inquirer } = await import('inquirer')
    const prompt = inquirer.createPromptModule({ input: input.stream, output: outputOf() })
    // Ctrl-D leaves Node without work: it ends with this code before anybody can answer for it.
    process.exitCode = INTERRUPTED
    const { answer } = await prompt([
      { type, name: 'answer', message, ...(!colors && { theme: WITHOUT_COLORS }) },
    ])
    process.exitCode = undefined
    return String(answer ?? '')
  }
  return {
    text: (question, { colors }) => ask('input', question, colors),
    hidden: (question, { colors }) => ask('password', question, colors),
  }
}
