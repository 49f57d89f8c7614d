import type { Event } from '../../../sdk/browser.ts'
import { reasonOf } from './approval-reason.ts'
import type { LineItem } from './items.ts'
import type { Handlers, TranscriptBuilder } from './transcript-builder.ts'
import * as say from './labels.ts'

/** Handles tool calls from start to result, with their approvals and background tasks. */
export function toolHandlers(builder: TranscriptBuilder) {
  const { tools, openTools, toolOf, touch } = builder
  /** The tool use id of the call, by approval. */
  const approvals = new Map<string, string>()
  const taskLines = new Map<string, LineItem>()

  return {
    tool_started(event) {
      touch(toolOf(event.toolUseId, event, event.tool))
    },
    tool_use(event) {
      const tool = toolOf(event.toolUseId, event, event.tool)
      tool.tool = event.tool
      tool.input = event.input
      tool.inputCut = cutOf(event)
      if (tool.state === 'writing') tool.state = 'running'
      touch(tool)
    },
    tool_progress(event) {
      touch(toolOf(event.toolUseId, event, 'tool'))
    },
    tool_result(event) {
      const tool = toolOf(event.toolUseId, event, event.tool ?? 'tool')
      tool.output = event.output
      tool.answerSeq = event.seq
      tool.details = event.details
      tool.outputCut = cutOf(event)
      tool.endedAt = event.time
      if (tool.state !== 'denied') tool.state = event.isError ? 'failed' : 'done'
      openTools.delete(tool)
      touch(tool)
    },
    permission_denied(event) {
      const tool = toolOf(event.toolUseId, event, event.tool)
      tool.state = 'denied'
      tool.denial = event.message
      touch(tool)
    },
    approval_requested(event) {
      const tool = toolOf(event.toolUseId, event, event.tool)
      const { approval, kind, input, description, suggestions, expiresAt } = event
      tool.approval = {
        approval,
        kind,
        tool: event.tool,
        input,
        description,
        suggestions,
        reason: reasonOf(event),
        expiresAt,
        resolved: undefined,
      }
      tool.input ??= input
      tool.state = 'waiting'
      approvals.set(approval, event.toolUseId)
      builder.announcement = say.asked(event)
      touch(tool)
    },
    approval_resolved(event) {
      // The call may have been withdrawn with its message.
      const tool = tools.get(approvals.get(event.approval) ?? '')
      approvals.delete(event.approval)
      if (!tool?.approval) return
      const { decision, by, message, input, remembered } = event
      tool.approval = { ...tool.approval, resolved: { decision, by, message, isRemembered: remembered !== undefined } }
      if (input !== undefined) tool.input = input
      if (tool.state === 'waiting') tool.state = decision === 'allow' ? 'running' : 'denied'
      touch(tool)
    },
    task(event) {
      const { phase, taskId, toolUseId, description, status, summary } = event
      const tool = toolUseId === undefined ? undefined : tools.get(toolUseId)
      if (tool) {
        const { task } = tool
        tool.task = {
          description: description ?? task?.description,
          status: status ?? task?.status,
          summary: summary ?? task?.summary,
          ended: phase === 'ended' || task?.ended === true,
        }
        touch(tool)
        return
      }
      const known = taskLines.get(taskId)
      const text = say.task(event, known?.detail)
      if (known) {
        known.text = text
        known.detail = description ?? known.detail
        touch(known)
      } else taskLines.set(taskId, builder.line(event, text, { about: 'task', detail: description ?? '' }))
    },
  } satisfies Partial<Handlers>
}

const cutOf = ({ seq, cut }: Event) => cut && { seq, bytes: cut.bytes }
