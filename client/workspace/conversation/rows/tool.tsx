import { bytes, duration } from '../../parts/format.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Icon } from '../../parts/icons.tsx'
import { useNow } from '../../parts/time.tsx'
import { fileChange } from '../model/file-change.ts'
import type { Cut, Item, ToolItem, ToolState } from '../model/items.ts'
import { inputText, isAgent, outputText, toolAbout } from '../model/tool-text.ts'
import { useOpen, usePane } from '../pane-context.ts'
import { Approval } from './approval.tsx'
import { Diff } from './diff.tsx'
import { Folded } from './folded.tsx'

const said: Record<ToolState, string> = {
  writing: 'being written',
  running: 'running',
  waiting: 'waits for an answer',
  done: 'done',
  failed: 'failed',
  denied: 'denied',
  stopped: 'stopped',
}

/** Tools whose output is what people look for. */
const shownAtOnce = new Set(['Bash', 'Edit', 'MultiEdit', 'Write'])

/** A tool's call: what it was asked, how it stands, and what came of it. */
export function Tool({ item }: { item: ToolItem; version: number }) {
  const { tool, input, state, children } = item
  const agent = isAgent(tool)
  // Who decided, and what, is part of what happened.
  const isAsked = item.approval !== undefined
  const [open, toggle] = useOpen(
    item.key,
    isAsked || (agent ? children.length <= 30 : shownAtOnce.has(tool) || state === 'failed' || state === 'denied'),
  )
  const about = toolAbout(tool, input)
  return (
    <section class="tool" data-state={state} aria-label={`${tool} ${about.slice(0, 80)}: ${said[state]}`}>
      <header>
        <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
          <span class={`mark ${state}`} aria-hidden="true" />
          <span class="name">{tool}</span>
          <span class="about clip">{about}</span>
          {agent && !open && children.length > 0 && <span class="chip">{lastDone(children)}</span>}
          <span class="state">
            {state === 'done' ? <span class="unseen">done</span> : said[state]}
            <Elapsed item={item} />
          </span>
        </button>
      </header>
      {open && <Body item={item} />}
    </section>
  )
}

function Elapsed({ item }: { item: ToolItem }) {
  if (item.endedAt !== undefined) {
    const took = item.endedAt - item.time
    return took < 1_000 ? null : <span class="numeric"> {duration(took)}</span>
  }
  return item.state === 'running' || item.state === 'waiting' ? <Running since={item.time} /> : null
}

function Running({ since }: { since: number }) {
  const ms = useNow() - since
  return ms < 1_000 ? null : <span class="numeric"> {duration(ms)}</span>
}

function Body({ item }: { item: ToolItem }) {
  const { tool, input, output, approval, denial, task, key } = item
  const change = fileChange(item)
  const asked = change || input === undefined ? '' : inputText(input)
  const isAsked = asked && asked !== '{}' && (asked.includes('\n') || asked.length > 90 || !shownAtOnce.has(tool))
  const text = plain(outputText(output))
  // What is told of a changed file is that it was changed.
  const isOutput = text.trim() && !(change && item.state === 'done') && text !== denial
  return (
    <div class="tool-body">
      {item.children.length === 0 && isAsked && approval?.kind !== 'question' && approval?.kind !== 'plan' && (
        <div class="asked">
          <Folded of={`${key}#input`} text={asked} lines={8} class="input" />
        </div>
      )}
      {change && <Diff of={key} change={change} />}
      <Rest cut={item.inputCut} />
      {approval && <Approval item={item} approval={approval} />}
      {denial && <p class="denial">{denial}</p>}
      {isOutput && (
        <div class="result">
          <Folded of={`${key}#output`} text={text} lines={isAgent(tool) ? 6 : 10} class="output" />
          <CopyButton text={() => text} label="Copy output" />
        </div>
      )}
      <Rest cut={item.outputCut} />
      {task && !task.ended && (
        <p class="dim small">
          <Icon name="chevron" />
          {task.description ?? 'in the background'}
          {task.status ? ` (${task.status})` : ''}
        </p>
      )}
      {task?.ended && task.summary && !text.includes(task.summary) && <p class="dim small">{task.summary}</p>}
    </div>
  )
}

function Rest({ cut }: { cut: Cut | undefined }) {
  const { loadWhole } = usePane()
  if (!cut) return null
  return (
    <button type="button" class="more" onClick={() => loadWhole(cut.seq)}>
      Load all of it ({bytes(cut.bytes)})
    </button>
  )
}

function lastDone(children: readonly Item[]): string {
  const tools = children.filter(child => child.kind === 'tool')
  const last = tools.at(-1)
  return last ? `${tools.length} × tool, last ${last.tool}` : `${children.length} entries`
}

// eslint-disable-next-line no-control-regex -- what terminals take for colours and movements is no text
const terminalCodes = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)|[@-Z\\-_])/g
const plain = (text: string) => (text.includes('\u001B') ? text.replaceAll(terminalCodes, '') : text)
