import type { Prompts } from './context.ts'

const INTERRUPTED = 130

/** Returns prompts on a terminal. Questions go where talk goes, so that the result can be redirected meanwhile. */
export function terminalPrompts(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Prompts {
  async function ask(type: 'input' | 'password', message: string): Promise<string> {
    const { default: inquirer } = await import('inquirer')
    const prompt = inquirer.createPromptModule({ input, output })
    // Ctrl-D leaves Node without work: it ends with this code before anybody can answer for it.
    process.exitCode = INTERRUPTED
    const { answer } = await prompt([{ type, name: 'answer', message }])
    process.exitCode = undefined
    return String(answer ?? '')
  }
  return {
    text: (question) => ask('input', question),
    hidden: (question) => ask('password', question),
  }
}
