import { framesOf, type Block } from '../../layout/block.ts'
import { Icon } from '../../parts/icons.tsx'
import { useCapabilities } from '../capabilities.ts'
import type { Transcript } from '../model/transcript.ts'
import { usePane } from '../pane-context.ts'
import type { Cancels } from '../prompt/cancelling.ts'
import { OutgoingList } from '../prompt/outgoing-list.tsx'
import { PromptBox, type PromptField } from '../prompt/prompt-box.tsx'
import type { Sending } from '../prompt/sending.ts'
import type { SessionRecord } from '../session-record.ts'
import { Choices } from './choices.tsx'
import { Footer } from './footer.tsx'
import { Left } from './left.tsx'
import { type PaneProblem, Problem } from './problem.tsx'
import { Queue } from './queue.tsx'
import { RunStatusBar } from './run-status-bar.tsx'
import { Unusable } from './unusable.tsx'

/** The part below the messages: the current run, the prompts that wait, the prompt box, and a line about the session. */
export function PaneFoot(props: PaneFootProps) {
  const { record, transcript, problem, cancels, sending, box, readOnly, active, onOpen } = props
  const { mux, session, readOnly: isReadOnly } = usePane()
  const { running, queued } = record
  const { left, unusable, options, process, costUsd } = record.session ?? {}
  const { facts } = transcript
  const capabilities = useCapabilities(mux, session, process?.startedAt)
  const { models } = capabilities.known
  const isRunning = running !== undefined || queued.length > 0
  return (
    <div class="pane-foot">
      <Problem problem={problem} />
      {running && <RunStatusBar run={running} transcript={transcript} cancels={cancels} />}
      <Queue runs={queued} />
      <OutgoingList sending={sending} />
      {left && <Left left={left} readOnly={readOnly} isRunning={isRunning} />}
      {unusable && <Unusable {...unusable} />}
      {!isReadOnly && (
        <PromptBox
          self={box}
          session={session}
          capabilities={capabilities.known}
          prompts={() => promptsOf(transcript)}
          isBusy={isRunning || sending.outgoing.length > 0}
          active={active}
          onUse={capabilities.use}
          onSend={sending.send}
        />
      )}
      <div class="pane-line">
        {!isReadOnly && (
          <Choices
            permissionMode={facts.permissionMode ?? options?.permissionMode ?? 'default'}
            model={options?.model ?? 'default'}
            models={models}
            disabled={!record.session}
          />
        )}
        <Footer
          facts={facts}
          isRunning={running !== undefined}
          next={queued[0]}
          costUsd={costUsd ?? facts.costUsd ?? 0}
          isModelShown={isReadOnly || models.length === 0}
          state={mux.state}
        />
        <button
          type="button"
          class="button plain icon"
          aria-label="Raw frames of this session"
          title="Raw frames"
          onClick={() => onOpen(framesOf(session))}
        >
          <Icon name="frames" />
        </button>
      </div>
    </div>
  )
}

interface PaneFootProps {
  record: SessionRecord
  transcript: Transcript
  problem: PaneProblem
  cancels: Cancels
  sending: Sending
  box: { current: PromptField | null }
  /** The user cannot change the session. */
  readOnly: boolean
  active: boolean
  onOpen(block: Block): void
}

const promptsOf = ({ items }: Transcript): string[] =>
  items.flatMap(item => (item.kind === 'prompt' && item.text.trim() ? [item.text] : []))
