import { useMemo, useRef, useState } from 'preact/hooks'
import type { Mux } from '../../sdk/browser.ts'
import type { Block } from '../layout/block.ts'
import { applyRemedy } from './apply-remedy.ts'
import { PaneFoot } from './foot/pane-foot.tsx'
import { useProblem } from './foot/problem.tsx'
import type { RowList } from './list/row-list.tsx'
import { createRows, type Opened } from './list/rows.ts'
import { useLiveSession } from './live-session.ts'
import { Messages } from './messages.tsx'
import type { Remedy } from './model/advice.ts'
import type { EndItem } from './model/items.ts'
import { Pane, type PaneContext } from './pane-context.ts'
import { useCancels } from './prompt/cancelling.ts'
import type { PromptField } from './prompt/prompt-box.tsx'
import { useSending } from './prompt/sending.ts'
import { SearchBar } from './search/search-bar.tsx'
import { useSearch } from './search/search.ts'

interface Props {
  mux: Mux
  session: string
  readOnly: boolean
  /** Whether this is the active pane. */
  active: boolean
  onOpen(block: Block): void
  /** Called when the user wants a new session with this prompt. */
  onNewSession?(prompt: string, directory: string): void
}

/** The live conversation of a session with its prompt box. Fills its container. */
export function ConversationPane(props: Props) {
  // The key gives each session a pane of its own, which keeps no state of the session before.
  return <SessionPane key={props.session} {...props} />
}

function SessionPane({ mux, session, readOnly, active, onOpen, onNewSession }: Props) {
  const { eventWindow, record, pane } = useLiveSession(mux, session)
  const { transcript, hasNewer } = eventWindow
  const { running, queued } = record
  const isReadOnly = readOnly || record.session?.unusable !== undefined
  const list = useRef<RowList>(null)
  const box = useRef<PromptField>(null)
  const [opened, setOpened] = useState<Opened>(new Map())
  const rows = useMemo(createRows, [eventWindow])(transcript, opened)
  const search = useSearch(rows, list)
  const problem = useProblem()
  const { report } = problem
  const cancels = useCancels(mux, isReadOnly ? undefined : running, report)
  const toEnd = () => {
    if (eventWindow.hasNewer) eventWindow.toEnd()
    list.current?.toEnd()
  }
  const lastSeq = eventWindow.last
  const sending = useSending({ mux, session, lastSeq, box, onSent: toEnd, onProblem: report })

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' && event.key !== 'Shift') cancels.forget()
    if ((event.ctrlKey || event.metaKey) && event.key === 'f') search.open()
    else if (event.key === 'Escape' && running && !isReadOnly && !event.isComposing) {
      if (!event.repeat) cancels.cancel(event.shiftKey)
    } else if (event.key === 'End' && (event.ctrlKey || event.target === list.current?.element)) toEnd()
    else return
    event.preventDefault()
  }

  const last = transcript.items.at(-1)
  const isFree = !isReadOnly && !running && queued.length === 0 && sending.outgoing.length === 0 && !hasNewer
  const remediable = isFree && last?.kind === 'end' ? last.key : undefined
  const remedy = ({ run }: EndItem, how: Remedy) =>
    applyRemedy(how, {
      mux,
      session,
      run: run!,
      send: sending.send,
      edit: prompt => box.current?.restore(prompt),
      chooseModel: () => pane.current?.querySelector<HTMLElement>('.choice[title="Model"] select')?.focus(),
      onOpen,
      onNewSession: prompt => onNewSession?.(prompt, record.session?.cwd ?? ''),
    }).catch(report)

  const context = useMemo(
    (): PaneContext => ({
      mux,
      session,
      readOnly: isReadOnly,
      report,
      opened,
      setOpen: (key, open) => setOpened(before => new Map(before).set(key, open)),
      loadWhole: seq => void eventWindow.loadWhole(seq).catch(report),
      remediable,
      remedy: (item, how) => void remedy(item, how),
    }),
    [mux, session, isReadOnly, opened, eventWindow, remediable],
  )

  return (
    <Pane.Provider value={context}>
      <section
        ref={pane}
        class="conversation"
        aria-label={['Conversation', record.session?.title].filter(Boolean).join(' ')}
        tabIndex={-1}
        onKeyDown={onKeyDown}
        onPointerDown={event => {
          if (!(event.target as HTMLElement).closest('.run-status-bar')) cancels.forget()
        }}
      >
        {search.isOpen && <SearchBar search={search} eventWindow={eventWindow} />}
        <Messages list={list} rows={rows} eventWindow={eventWindow} active={active} onEnd={toEnd} />
        <p class="unseen" aria-live="polite">
          {transcript.announcement.slice(0, 600)}
        </p>
        <PaneFoot
          record={record}
          transcript={transcript}
          problem={problem}
          cancels={cancels}
          sending={sending}
          box={box}
          readOnly={readOnly}
          active={active}
          onOpen={onOpen}
        />
      </section>
    </Pane.Provider>
  )
}
