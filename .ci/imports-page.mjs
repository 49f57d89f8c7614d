// The page with the diagrams of the imports.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { format } from 'dependency-cruiser'

export async function writePage(page, graph) {
  writeFileSync(page.file, await render(page, graph))
}

/** Returns a text if the page does not show the imports of today. */
export async function comparePage(page, graph) {
  const text = await render(page, graph)
  if (existsSync(page.file) && readFileSync(page.file, 'utf8') === text) return []
  return [`${page.file} does not show the imports of today. Write it again with: npm run imports`]
}

async function render({ introduction, diagrams }, graph) {
  let text = introduction
  for (const { title, about, includeOnly, collapse } of diagrams) {
    const { output } = await format(graph, { outputType: 'mermaid', includeOnly, collapse })
    text += `\n## ${title}\n\n${about}\n\n\`\`\`mermaid\n${sortArrows(output)}\n\`\`\`\n`
  }
  return text
}

/** The order of the imports in a file must not change the page. */
function sortArrows(mermaid) {
  const lines = mermaid.split('\n').filter(line => line !== '')
  const isArrow = line => line.includes('-->')
  return [...lines.filter(line => !isArrow(line)), ...lines.filter(isArrow).sort()].join('\n')
}
