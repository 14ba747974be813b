import { readFile } from 'node:fs/promises'

/** The parts of a reminder, by the file that each is made from. */
export const TEMPLATE_FILES = {
  subject: 'reminder.subject.liquid',
  text: 'reminder.txt.liquid',
  html: 'reminder.html.liquid',
} as const

/** Returns the built-in templates by file name. They lie beside this module, here and in the bundle. */
export async function builtInTemplates(): Promise<Map<string, string>> {
  const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')
  return new Map(
    await Promise.all(Object.values(TEMPLATE_FILES).map(async (name) => [name, await read(name)] as const)),
  )
}
