import type { Colors } from 'picocolors/types.js'
import type { Decider, Event, EventOf, Gap, Origin, TerminalEvent } from '../../../sdk/index.ts'
import { turnEnd } from '../../../text/turn-end.ts'
import { approvalLines, approvalSummary } from '../approval.ts'
import { bytes, duration, tokens, usd } from '../format.ts'
import type { Sink } from '../../screen/sink.ts'
import { harmless, oneLine } from '../../screen/text.ts'
import { firstLine, summary } from '../tool.ts'
import { whatToDo } from '../what-to-do.ts'

/** Shows the events of a run as they arrive. */
export interface RunView {
  show(event: Event | Gap): void
}

export interface ViewOptions {
  colors: Colors
  /** Show prompts, for a reader who did not write them. */
  prompts: boolean
  /** The width of the screen. Without it, lines are not wrapped. */
  columns?: () => number
  /** Lines below each question, if it is to be answered elsewhere. */
  howToAnswer?: (event: EventOf<'approval_requested'>) => string[]
}

interface Tool {
  name: string
  about: string
  startedAt: number
  called: boolean
}

export function createRunView(sink: Sink, options: ViewOptions): RunView {
  const { colors, prompts, columns = () => Infinity, howToAnswer } = options
  const asked = new Map<string, string>()
  const tools = new Map<string, Tool>()
  let cost: EventOf<'cost'> | undefined
  let startedAt = 0
  let model: string | undefined
  // The answer's block that is being written.
  let answering: { messageId: string | undefined; index: number | undefined } | undefined

  const toolLine = (mark: string, { name, about }: Tool, event: Event, tail = '') =>
    `${indent(event)}${mark} ${colors.bold(oneLine(name))}${about ? ` ${about}` : ''}${tail ? colors.dim(`  ${tail}`) : ''}`

  const show: Shows = {
    session_forked({ from, by: who }) {
      sink.line(colors.dim(`⑂ forked from ${from.session}`) + by(who))
    },
    session_imported({ claudeSessionId, by: who }) {
      sink.line(colors.dim(`⇤ conversation ${oneLine(claudeSessionId)} was taken up`) + by(who))
    },
    session_updated({ changes, by: who }) {
      sink.line(colors.dim(`✎ ${changesIn(changes)}`) + by(who))
    },
    run_queued(event) {
      if (prompts) sink.line(`${colors.cyan('›')} ${colors.bold(oneLine(event.prompt))}${by(event.origin)}`)
    },
    run_started(event) {
      startedAt = event.time
      cost = undefined
      if (prompts && 'background' in event.origin)
        sink.line(`${colors.cyan('›')} ${oneLine(event.prompt)}${by(event.origin)}`)
    },
    run_moved(event) {
      if (prompts) sink.line(colors.dim(`↕ number ${event.to + 1} in the queue${by(event.by)}`))
    },
    session_init(event) {
      if (event.model === undefined || event.model === model) return
      model = event.model
      sink.line(colors.dim(oneLine(model)))
    },
    assistant_text(event) {
      if (event.parent === undefined) {
        const { messageId, index } = event
        if (answering && (answering.messageId !== messageId || answering.index !== index)) sink.paragraph()
        answering = { messageId, index }
        sink.answer(event.delta)
        if (event.cut) sink.remark(colors.dim(`the rest of ${bytes(event.cut.bytes)} could not be read`))
      } else
        for (const line of harmless(event.delta).split('\n').filter(Boolean))
          sink.line(indent(event) + colors.dim(line))
    },
    thinking(event) {
      if (event.parent === undefined) sink.thought(event.delta)
    },
    message_discarded(event) {
      for (const [id, tool] of tools) {
        if (tool.called) continue
        sink.live(id, toolLine(colors.dim('⌫'), tool, event, 'withdrawn'), 'ended')
        tools.delete(id)
      }
      if (answering?.messageId === event.messageId) sink.remark(colors.dim('withdrawn: the text above is written anew'))
    },
    tool_started(event) {
      if (event.parent === undefined) endPiece()
      const tool = { name: event.tool, about: '', startedAt: event.time, called: false }
      tools.set(event.toolUseId, tool)
      sink.live(event.toolUseId, toolLine(colors.cyan('◌'), tool, event), 'announced')
    },
    tool_use(event) {
      if (event.parent === undefined) endPiece()
      const { startedAt: since = event.time } = tools.get(event.toolUseId) ?? {}
      const tool = { name: event.tool, about: summary(event.input), startedAt: since, called: true }
      tools.set(event.toolUseId, tool)
      sink.live(event.toolUseId, toolLine(colors.cyan('◌'), tool, event), 'running')
    },
    tool_progress(event) {
      const tool = tools.get(event.toolUseId)
      if (tool)
        sink.live(event.toolUseId, toolLine(colors.cyan('◌'), tool, event, duration(event.elapsedMs)), 'progress')
    },
    tool_result(event) {
      const none = { name: event.tool ?? 'tool', about: '', startedAt: event.time, called: true }
      const tool = tools.get(event.toolUseId) ?? none
      tools.delete(event.toolUseId)
      const mark = event.isError ? colors.red('✗') : colors.green('✓')
      const said = event.isError ? `: ${firstLine(event.output)}` : ''
      sink.live(event.toolUseId, toolLine(mark, tool, event, duration(event.time - tool.startedAt) + said), 'ended')
    },
    permission_denied(event) {
      sink.line(
        `${indent(event)}${colors.red('✗')} ${colors.bold(oneLine(event.tool))} denied: ${oneLine(event.message)}`,
      )
    },
    approval_requested(event) {
      asked.set(event.approval, approvalSummary(event))
      for (const line of approvalLines(event, { colors, columns: columns() })) sink.line(line)
      for (const line of howToAnswer?.(event) ?? []) sink.line(`  ${colors.dim(line)}`)
    },
    approval_resolved(event) {
      const mark = event.decision === 'allow' ? colors.green('✓') : colors.red('✗')
      const about = asked.get(event.approval)
      asked.delete(event.approval)
      sink.line(`${mark} ${about ? `${about}: ` : ''}${decisionOf(event)}`)
    },
    task(event) {
      // A sub-agent's task already has the line of the tool that began it.
      if (tools.has(event.toolUseId ?? '')) return
      const text = oneLine(event.summary ?? event.description ?? '')
      if (event.phase === 'started' || event.phase === 'ended') {
        sink.line(
          `${colors.dim(event.phase === 'started' ? '◦' : '•')} task ${text}${event.status ? colors.dim(`  ${oneLine(event.status)}`) : ''}`,
        )
      }
    },
    cost(event) {
      cost = event
    },
    api_retry({ attempt, maxRetries, delayMs, status, error }) {
      const why = [status, oneLine(error)].filter(Boolean).join(' ')
      sink.line(
        `${colors.yellow('↻')} attempt ${attempt} of ${maxRetries} failed (${why}), the next in ${duration(delayMs)}`,
      )
    },
    rate_limit(event) {
      if (event.status === 'allowed') return
      const until = event.resetsAt === undefined ? '' : ` until ${new Date(event.resetsAt).toLocaleString()}`
      sink.line(`${colors.yellow('!')} rate limit ${oneLine(event.limitType ?? '')}: ${oneLine(event.status)}${until}`)
    },
    log_damaged(event) {
      sink.line(`${colors.yellow('!')} the log is damaged here: ${oneLine(event.detail)}`)
    },
    background_lost({ tasks, more }) {
      const named = tasks.map(({ id, description }) => oneLine(description ?? id)).join(', ')
      sink.line(
        `${colors.yellow('!')} background work ended unfinished: ${named}${more > 0 ? ` and ${more} more` : ''}`,
      )
    },
    system_message({ level, text }) {
      const [first = '', ...others] = harmless(text).trim().split('\n')
      sink.line(`${level === 'info' ? colors.dim('·') : colors.yellow('!')} ${first}`)
      for (const line of others.filter(each => each.trim())) sink.line(`  ${colors.dim(line)}`)
    },
    compaction() {
      sink.line(colors.dim('◇ the conversation was compacted'))
    },
    cancel_requested(event) {
      sink.line(
        `${colors.yellow('■')} ${event.mode === 'kill' ? 'kill' : 'cancel'} requested${by(event.by)}${because(event.reason)}`,
      )
    },
    limit_reached({ limit, value }) {
      const what = limit === 'timeoutMs' ? 'it took' : 'nothing was printed for'
      sink.line(`${colors.yellow('■')} ${what} ${duration(value)}: it is ended`)
    },
    cancel_escalated({ step }) {
      sink.line(colors.dim(`■ no effect in time: ${steps[step]}`))
    },
    done(event) {
      const why = turnEnd(event.terminalReason)
      end(event, colors.green('✓ done') + because(why))
    },
    failed(event) {
      const { title, detail, stderrTail } = event.failure
      end(event, colors.red(`✗ failed: ${oneLine(title)}`))
      const advice = whatToDo(event.failure)
      if (advice !== undefined) sink.line(`  ${colors.dim(oneLine(advice))}`)
      // Omit text that is already shown.
      const isKnown = detail === title || event.response.includes(detail)
      for (const text of [isKnown ? '' : detail, stderrTail?.trim() === detail ? '' : (stderrTail ?? '')]) {
        for (const line of harmless(text)
          .split('\n')
          .filter(each => each.trim()))
          sink.line(`  ${colors.dim(line)}`)
      }
    },
    cancelled(event) {
      end(event, colors.yellow('■ cancelled') + by(event.by) + because(event.reason) + ends[event.ended ?? 'turn'])
    },
    interrupted(event) {
      end(event, colors.red(`✗ interrupted: ${oneLine(event.reason)}`))
    },
  }

  /** A tool of the main conversation follows a complete block of text; later text is another block. */
  function endPiece(): void {
    if (answering) sink.pieceEnd()
  }

  function end(event: TerminalEvent, line: string): void {
    tools.clear()
    answering = undefined
    sink.end()
    const facts = [
      ...(startedAt ? [duration(event.time - startedAt)] : []),
      ...(cost ? [usd(cost.runCostUsd), tokens(cost.tokens)] : []),
    ]
    sink.line(`${line}${facts.length ? colors.dim(`  ${facts.join(' · ')}`) : ''}`)
  }

  const decisionOf = ({ decision, by: who, message }: EventOf<'approval_resolved'>) =>
    `${decisions[decision]}${who ? by(who) : ''}${because(message)}`

  const by = (origin: Origin | Decider) => {
    if ('background' in origin) return colors.dim(` (${oneLine(origin.background.kind)})`)
    return colors.dim('policy' in origin ? ` (${oneLine(origin.policy)})` : ` by ${oneLine(origin.name)}`)
  }

  return {
    show(event) {
      if (event.type === 'gap') {
        const which = event.reason === 'trimmed' ? `${event.from + 1} to ${event.to}` : `after ${event.from}`
        sink.line(`${colors.yellow('!')} events ${which} cannot be had any more (${event.reason})`)
      } else (show[event.type] as ((event: Event) => void) | undefined)?.(event)
    },
  }
}

/** Event types without a row are not shown; `--json` prints them. */
type Shows = { [Type in Event['type']]?: (event: EventOf<Type>) => void }

const steps = { interrupt: 'interrupt', sigint: 'SIGINT', terminate: 'SIGTERM', kill: 'SIGKILL' }
/** What a cancel ended besides the turn. */
const ends = { nothing: ', before it had begun', turn: '', process: ', its process is ended' }

const decisions = { allow: 'allowed', deny: 'denied', expired: 'expired', withdrawn: 'withdrawn' }
function changesIn(changes: EventOf<'session_updated'>['changes']): string {
  const { title, labels, model, permissionMode, approvals, claudeSessionId } = changes
  const words = [
    title === undefined ? [] : `title: ${title}`,
    labels ? 'labels' : [],
    model === undefined ? [] : `model: ${model}`,
    permissionMode === undefined ? [] : `mode: ${permissionMode}`,
    approvals ? 'approvals' : [],
    claudeSessionId === null ? 'begun anew' : [],
  ]
  return oneLine(words.flat().join(', '))
}

const indent = (event: Event) => (event.parent === undefined ? '' : '  ')
const because = (reason: string | undefined) => (reason ? `: ${oneLine(reason)}` : '')
