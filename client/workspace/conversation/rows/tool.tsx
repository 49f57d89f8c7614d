import { duration, shortPath } from '../../parts/format.ts'
import { CopyButton } from '../../parts/copy-button.tsx'
import { Icon } from '../../parts/icons.tsx'
import { Path } from '../../parts/path.tsx'
import { useNow } from '../../parts/time.tsx'
import { fileChange } from '../model/file-change.ts'
import type { Item, ToolItem, ToolState } from '../model/items.ts'
import { showsChildren } from '../list/rows.ts'
import { inputText, isAgent, outputText, pathOf, toolAbout } from '../model/tool-output.ts'
import { jsonFields, toolName } from '../model/tool-view.ts'
import { useOpen, usePane } from '../pane-context.ts'
import { Approval } from './approval.tsx'
import { Diff } from './diff.tsx'
import { Folded } from './folded.tsx'
import { LoadRest } from './load-rest.tsx'
import { Fields, ToolInput } from './tool-input.tsx'

const said: Record<ToolState, string> = {
  writing: 'being written',
  running: 'running',
  waiting: 'waits for an answer',
  done: 'done',
  failed: 'failed',
  denied: 'denied',
  stopped: 'stopped',
}

/** Tools that are open by default, because users mostly look for their output. */
const shownAtOnce = new Set(['Bash', 'Edit', 'MultiEdit', 'Write', 'TodoWrite'])

/** A tool call with its input, state and output. */
export function Tool({ item }: { item: ToolItem; version: number }) {
  const { tool, input, state, children } = item
  const agent = isAgent(tool)
  // A call with an approval is open, so that the decision is visible.
  const isAsked = item.approval !== undefined
  const [open, toggle] = useOpen(
    item.key,
    isAsked || (agent ? children.length <= 30 : shownAtOnce.has(tool) || state === 'failed' || state === 'denied'),
  )
  const about = toolAbout(tool, input)
  const path = pathOf(input)
  const { name, server } = toolName(tool)
  return (
    <section class="tool" data-state={state} aria-label={`${name} ${shortPath(about, 80)}: ${said[state]}`}>
      <header>
        <button type="button" class="fold" aria-expanded={open} onClick={toggle}>
          <span class={`mark ${state}`} aria-hidden="true" />
          <span class="name">{name}</span>
          {server && <span class="chip">{server}</span>}
          <span class="about clip">{path === about ? <Path of={path} /> : <span dir="auto">{about}</span>}</span>
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
  const { opened } = usePane()
  const change = fileChange(item)
  const asked = change || input === undefined ? '' : inputText(input)
  const isTold = tool === 'Bash' && !asked.includes('\n') && asked.length <= 90
  const isAsked = asked !== '' && asked !== '{}' && !isTold && !isOnlyPath(input)
  const text = plain(outputText(output))
  const fields = toolName(tool).server === undefined ? undefined : jsonFields(text)
  // The answer of a sub-agent has a row of its own below its steps.
  const isElsewhere = item.children.length > 0 && showsChildren(item, opened)
  // The output of a file change only says that the file was changed.
  const isOutput =
    text.trim() &&
    !isElsewhere &&
    !(change && item.state === 'done') &&
    !(tool === 'TodoWrite' && item.state === 'done') &&
    text !== denial
  return (
    <div class="tool-body">
      {isAsked &&
        !(isAgent(tool) && item.children.length > 0) &&
        approval?.kind !== 'question' &&
        approval?.kind !== 'plan' && (
          <div class="asked">
            <ToolInput of={`${key}#input`} tool={tool} input={input} />
          </div>
        )}
      {change && <Diff of={key} change={change} />}
      <LoadRest cut={item.inputCut} />
      {approval && <Approval item={item} approval={approval} />}
      {denial && (
        <p class="denial" dir="auto">
          {denial}
        </p>
      )}
      {isOutput && (
        <div class="result">
          {fields ? (
            <Fields of={`${key}#output`} fields={fields} />
          ) : (
            <Folded of={`${key}#output`} text={text} lines={isAgent(tool) ? 6 : 10} class="output" />
          )}
          <CopyButton text={() => text} label="Copy output" />
        </div>
      )}
      {!isElsewhere && <LoadRest cut={item.outputCut} />}
      {task && !task.ended && (
        <p class="dim small" dir="auto">
          <Icon name="chevron" />
          {task.description ?? 'in the background'}
          {task.status ? ` (${task.status})` : ''}
        </p>
      )}
      {task?.ended && task.summary && !text.includes(task.summary) && (
        <p class="dim small" dir="auto">
          {task.summary}
        </p>
      )}
    </div>
  )
}

/** Whether the header already shows the whole input. */
const isOnlyPath = (input: unknown) => pathOf(input) !== undefined && Object.keys(input ?? {}).length === 1

function lastDone(children: readonly Item[]): string {
  const tools = children.filter(child => child.kind === 'tool')
  const last = tools.at(-1)
  return last ? `${tools.length} × tool, last ${last.tool}` : `${children.length} entries`
}

// eslint-disable-next-line no-control-regex -- matches the escape sequences of terminals
const terminalCodes = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)|[@-Z\\-_])/g
const plain = (text: string) => (text.includes('\u001B') ? text.replaceAll(terminalCodes, '') : text)
