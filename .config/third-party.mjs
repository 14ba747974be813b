import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

const RULE = '-'.repeat(78)

/**
 * Returns the names, versions and licences of the packages among the files of a bundle: most of them ask that their
 * notice goes wherever their code goes. Throws when one says nothing about its licence.
 */
export async function thirdPartyLicenses(root, inputs) {
  const directories = new Set(
    inputs.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path) ?? []),
  )
  const notices = await Promise.all(
    [...directories].sort().map((directory) => noticeOf(join(root, directory))),
  )
  return [`usermgmt comes with code of these packages.`, ...notices].join(`\n\n${RULE}\n`)
}

async function noticeOf(directory) {
  const { name, version, license } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'))
  if (!license) throw new Error(`the package ${name} does not say what its licence is`)
  const files = (await readdir(directory)).filter((file) => /^(licen[cs]e|copying|notice)/i.test(file)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')))
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join('\n\n')
}
