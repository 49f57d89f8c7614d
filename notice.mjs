import { readdirSync, readFileSync } from 'node:fs'

/** The names, versions and licences of the packages whose code is in bundles, from the inputs of esbuild's metafiles. */
export function noticeOf(inputs) {
  const directories = new Set(
    inputs.flatMap(input => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []),
  )
  const packages = [...directories].map(directory => {
    const { name, version, license } = JSON.parse(readFileSync(`${directory}/package.json`, 'utf8'))
    return { title: `${name} ${version} (${license})`, text: licenceIn(directory) }
  })
  const parts = packages
    .sort((one, other) => (one.title < other.title ? -1 : 1))
    .map(({ title, text }) => `${'-'.repeat(72)}\n${title}\n\n${text.trim()}\n`)
  return `muxd's programs and page contain code of the following packages.\n\n${parts.join('\n')}`
}

function licenceIn(directory) {
  const files = readdirSync(directory).filter(name => /^(?:licen[cs]e|notice|copying)(?:[.-]|$)/i.test(name))
  if (files.length === 0) throw new Error(`${directory} is bundled and has no licence file`)
  return files.map(name => readFileSync(`${directory}/${name}`, 'utf8')).join('\n')
}
