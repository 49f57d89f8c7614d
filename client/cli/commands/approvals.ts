import type { Command } from 'commander'
import type { Approval, Mux } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { howToAnswer } from '../follow/approval-dialog.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { colorsFor, columnsOfOutput, print, printJson, say } from '../screen/output.ts'
import { approvalLines, approvalSummary } from '../render/approval.ts'
import { age, table } from '../render/format.ts'
import { oneLine } from '../screen/text.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export interface ApprovalsOptions extends CommonOptions {
  session?: string
  watch?: true
}

export function declareApprovals(program: Command): void {
  command(program, 'approvals', 'list what waits for an answer')
    .option('-s, --session <id>', 'of this session')
    .option('-w, --watch', 'go on with new ones until Ctrl-C')
    .action(acting(approvals))
}

/** `muxd approvals`: lists the open questions, or shows them as they come. */
async function approvals(options: ApprovalsOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true, answers: options.watch === true }, (mux, signal) =>
    options.watch ? watchApprovals(mux, options, signal) : listApprovals(mux, options, signal),
  )
}

async function listApprovals(mux: Mux, { session, json }: ApprovalsOptions, signal: AbortSignal): Promise<ExitCode> {
  const found: Approval[] = []
  let after: string | undefined
  do {
    const page = await mux.api.approval.list({ ...(session && { session }), ...(after && { after }) }, { signal })
    found.push(...page.approvals)
    after = page.next
  } while (after)
  // The question that has waited longest comes first.
  found.reverse()
  if (json) for (const approval of found) await printJson(approval)
  else if (!found.length) say('nothing awaits an answer')
  else {
    for (const line of table(['APPROVAL', 'SESSION', 'AGE', 'ABOUT'], found.map(row), columnsOfOutput(), 3))
      await print(line)
  }
  return exitCodes.done
}

const row = (approval: Approval): string[] => [
  approval.approval,
  approval.session,
  age(Date.now() - approval.requestedAt),
  approvalSummary(approval),
]

/**
 * Shows questions until Ctrl-C. With `--json` each record is printed twice: when it is asked and when it is resolved.
 */
async function watchApprovals(mux: Mux, { session, json }: ApprovalsOptions, signal: AbortSignal): Promise<ExitCode> {
  const leaving = new AbortController()
  const leave = () => leaving.abort()
  process.once('SIGINT', leave)
  const stop = () => leaving.abort(signal.reason)
  signal.addEventListener('abort', stop)
  const colors = colorsFor(process.stdout)
  try {
    for await (const { allow: _, deny: __, resolved, ...asked } of mux.approvals({ session, signal: leaving.signal })) {
      // Printed when it is resolved, between the questions.
      const told = async (record: Approval) => (json ? printJson(record) : print(outcomeLine(record)))
      resolved.then(told).catch(() => {})
      if (json) await printJson(asked)
      else {
        for (const line of approvalLines(asked, { colors, columns: columnsOfOutput() })) await print(line)
        for (const line of howToAnswer(asked)) await print(colors.dim(`  ${line}`))
      }
    }
  } catch (error) {
    if (!leaving.signal.aborted || signal.aborted) throw error
  } finally {
    process.off('SIGINT', leave)
    signal.removeEventListener('abort', stop)
  }
  return exitCodes.done
}

/** Returns one line that says how a question was decided, and by whom. */
export function outcomeLine({ approval, decision, by, message }: Approval): string {
  const who = by === undefined ? '' : 'policy' in by ? ` (${by.policy})` : ` by ${by.name}`
  const what = { allow: 'allowed', deny: 'denied', expired: 'expired', withdrawn: 'withdrawn' }[decision ?? 'withdrawn']
  return oneLine(`${approval} ${what}${who}${message ? `: ${message}` : ''}`)
}
