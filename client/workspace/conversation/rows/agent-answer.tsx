import { CopyButton } from '../../parts/copy-button.tsx'
import { Markdown } from '../../parts/markdown.tsx'
import type { ToolItem } from '../model/items.ts'
import { outputText } from '../model/tool-output.ts'
import { LoadRest } from './load-rest.tsx'

/** The answer of a sub-agent, below its steps. */
export function AgentAnswer({ item }: { item: ToolItem; version: number }) {
  const text = outputText(item.output)
  return (
    <section class="agent-answer" data-state={item.state} aria-label="The agent's answer">
      <header class="small dim">{item.state === 'failed' ? 'The agent failed' : 'The agent’s answer'}</header>
      <div class="result">
        <Markdown source={text} isWritten />
        <CopyButton text={() => text} label="Copy answer" />
      </div>
      <LoadRest cut={item.outputCut} />
    </section>
  )
}
