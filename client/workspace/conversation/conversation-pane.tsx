import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Mux } from '../../sdk/browser.ts'
import { type Block, conversationOf, framesOf } from '../layout/block.ts'
import { keepDraft, readDraft } from '../drafts.ts'
import { Icon } from '../parts/icons.tsx'
import { type Capabilities, noCapabilities, readCapabilities } from './capabilities.ts'
import { createEventWindow, type EventWindow } from './event-window.ts'
import { Footer } from './footer.tsx'
import { createRenderScheduler } from './render-scheduler.ts'
import { RunStatusBar } from './run-status-bar.tsx'
import { Left } from './left.tsx'
import { RowList } from './list/row-list.tsx'
import { createRows, type Row } from './list/rows.ts'
import type { Remedy } from './model/advice.ts'
import type { EndItem } from './model/items.ts'
import { Pane } from './pane-context.ts'
import { type Cancelling, nextCancel } from './prompt/cancelling.ts'
import { Choice, permissionModes } from './prompt/choices.tsx'
import { joinDraft } from './prompt/outgoing.ts'
import { OutgoingList, useOutgoing } from './prompt/outgoing-list.tsx'
import { PromptBox, type PromptField } from './prompt/prompt-box.tsx'
import { Queue } from './prompt/queue.tsx'
import { drawRow, guessHeight } from './rows/row.tsx'
import { findRows } from './search/row-text.ts'
import { markFound } from './search/mark-found.ts'
import { SearchBar } from './search/search-bar.tsx'
import { createSessionRecord, type SessionRecord } from './session-record.ts'
import { unreadAfter } from './unread.ts'
import { Unusable } from './unusable.tsx'

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
  const { eventWindow, record, pane } = useSession(mux, session)
  const { transcript } = eventWindow
  const { facts } = transcript
  const list = useRef<RowList>(null)
  const [opened, setOpened] = useState<ReadonlyMap<string, boolean>>(new Map())
  const [isFollowing, setFollowing] = useState(true)
  const [problem, setProblem] = useState<string>()
  const report = (error: unknown) => setProblem(error instanceof Error ? error.message : String(error))
  const rows = useRows(eventWindow, opened)
  const search = useSearch(rows, list)
  const [cancelling, setCancelling] = useState<Cancelling>()
  const box = useRef<PromptField>(null)
  const [outgoing, onTheirWay] = useOutgoing(mux, session, eventWindow.last)
  const { running, queued } = record
  const { unusable } = record.session ?? {}
  const isReadOnly = readOnly || unusable !== undefined
  const capabilities = useCapabilities(mux, session, record.session?.process?.startedAt)

  // While the pane is active and follows the end, the user has seen everything.
  const seen = useRef(0)
  if (active && isFollowing && document.visibilityState === 'visible') seen.current = eventWindow.last
  const unread = isFollowing ? undefined : unreadAfter(seen.current, transcript.items)

  const cancel = (hard: boolean) => {
    if (!running || isReadOnly) return
    const next = nextCancel(running.run, cancelling, hard)
    if (!next) return
    setCancelling(next)
    if (next.run === running.run) mux.attach(next.run).cancel(undefined, { mode: next.mode }).catch(report)
  }
  /** To call when the user does something else, so that the next press of Escape is meant for the current run. */
  const forgetCancel = () => {
    if (cancelling && cancelling.run !== running?.run) setCancelling(undefined)
  }
  const send = (prompt: string) =>
    void outgoing.send(session, prompt).then(toEnd, (error: unknown) => {
      report(error)
      if (box.current) box.current.restore(prompt)
      else keepDraft(session, joinDraft(prompt, readDraft(session)))
    })
  const update = (change: { model?: string; permissionMode?: string }) =>
    void mux.api.session.update({ session, ...change }).catch(report)
  const toEnd = () => {
    if (eventWindow.hasNewer) eventWindow.toEnd()
    list.current?.toEnd()
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Escape' && event.key !== 'Shift') forgetCancel()
    if ((event.ctrlKey || event.metaKey) && event.key === 'f') search.open()
    else if (event.key === 'Escape' && running && !isReadOnly && !event.isComposing) {
      if (!event.repeat) cancel(event.shiftKey)
    } else if (event.key === 'End' && (event.ctrlKey || event.target === list.current?.element)) toEnd()
    else return
    event.preventDefault()
  }

  const last = transcript.items.at(-1)
  const isFree = !isReadOnly && !running && queued.length === 0 && onTheirWay.length === 0 && !eventWindow.hasNewer
  const remediable = isFree && last?.kind === 'end' ? last.key : undefined
  const remedy = async ({ run }: EndItem, how: Remedy) => {
    if (how === 'continue') return send('Continue.')
    if (how === 'choose_model')
      return pane.current?.querySelector<HTMLElement>('.choice[title="Model"] select')?.focus()
    if (how === 'fork') return onOpen(conversationOf((await mux.api.session.fork({ session })).session))
    const { prompt } = await mux.api.run.get({ run: run! })
    if (how === 'edit') box.current?.restore(prompt)
    else if (how === 'new_session') onNewSession?.(prompt, record.session?.cwd ?? '')
    else {
      if (how === 'begin_anew') await mux.api.session.update({ session, conversationId: null })
      send(prompt)
    }
  }

  const context = useMemo(
    () => ({
      mux,
      session,
      readOnly: isReadOnly,
      opened,
      setOpen: (key: string, open: boolean) => setOpened(before => new Map(before).set(key, open)),
      loadWhole: (seq: number) => void eventWindow.loadWhole(seq).catch(report),
      remediable,
      remedy: (item: EndItem, how: Remedy) => void remedy(item, how).catch(report),
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
          if (!(event.target as HTMLElement).closest('.run-status-bar')) forgetCancel()
        }}
      >
        {search.isOpen && (
          <SearchBar
            asked={search.asked}
            words={search.words}
            found={search.found.length}
            at={search.at}
            hasOlder={eventWindow.hasOlder}
            isLoading={eventWindow.isLoading}
            onWords={search.look}
            onStep={search.step}
            onOlder={() => void eventWindow.loadOlder()}
            onClose={() => {
              search.close()
              list.current?.element?.focus()
            }}
          />
        )}
        <div class="conversation-body">
          <RowList
            self={list}
            rows={rows}
            label="Messages"
            draw={drawRow}
            guess={guessHeight}
            onFollow={following => {
              eventWindow.keepTop = !following
              setFollowing(following)
            }}
            onNearTop={() => void (eventWindow.hasOlder && eventWindow.loadOlder())}
            onNearEnd={() => void (eventWindow.hasNewer && eventWindow.loadNewer())}
          />
          {rows.length === 0 && <Empty eventWindow={eventWindow} />}
          {eventWindow.isLoading && <p class="loading small dim">Loading…</p>}
          {eventWindow.state === 'failed' && rows.length > 0 && (
            <p class="loading problem">{messageOf(eventWindow.failure)}</p>
          )}
          {(!isFollowing || eventWindow.hasNewer) && (
            <div class="jumps">
              {unread?.first && unread.count > 0 && (
                <button
                  type="button"
                  class="button"
                  onClick={() => list.current?.toRow(firstRowOf(rows, unread.first!.key))}
                >
                  {unread.count} unread
                </button>
              )}
              <button type="button" class="button" onClick={toEnd}>
                <span class="down">
                  <Icon name="chevron" />
                </span>
                Latest
              </button>
            </div>
          )}
        </div>
        <p class="unseen" aria-live="polite">
          {transcript.announcement.slice(0, 600)}
        </p>
        <div class="pane-foot">
          {problem !== undefined && (
            <p class="problem" role="alert">
              {problem}{' '}
              <button type="button" class="link" onClick={() => setProblem(undefined)}>
                Dismiss
              </button>
            </p>
          )}
          {running && (
            <RunStatusBar
              run={running}
              facts={facts}
              current={transcript.current}
              cancelling={cancelling}
              readOnly={isReadOnly}
              onCancel={cancel}
            />
          )}
          <Queue mux={mux} runs={queued} readOnly={isReadOnly} onProblem={report} />
          <OutgoingList
            prompts={onTheirWay}
            onTakeBack={({ key, prompt }) => {
              outgoing.takeBack(key)
              box.current?.restore(prompt)
            }}
          />
          {record.session?.left && (
            <Left
              left={record.session.left}
              readOnly={readOnly}
              isRunning={running !== undefined || queued.length > 0}
              onEnd={() => void mux.api.session.close({ session, sweep: true }).catch(report)}
            />
          )}
          {unusable && <Unusable reason={unusable.reason} at={unusable.at} />}
          {!isReadOnly && (
            <PromptBox
              self={box}
              session={session}
              capabilities={capabilities.known}
              prompts={() => promptsOf(eventWindow)}
              isBusy={running !== undefined || queued.length > 0 || onTheirWay.length > 0}
              active={active}
              onUse={capabilities.use}
              onSend={send}
            />
          )}
          <div class="pane-line">
            {!isReadOnly && (
              <>
                <Choice
                  label="Permission mode"
                  value={facts.permissionMode ?? record.session?.options.permissionMode ?? 'default'}
                  options={permissionModes}
                  disabled={!record.session}
                  onChoose={permissionMode => update({ permissionMode })}
                />
                {capabilities.known.models.length > 0 && (
                  <Choice
                    label="Model"
                    value={record.session?.options.model ?? 'default'}
                    options={capabilities.known.models}
                    disabled={!record.session}
                    onChoose={model => update({ model })}
                  />
                )}
              </>
            )}
            <Footer
              facts={facts}
              isRunning={running !== undefined}
              next={queued[0]}
              costUsd={record.session?.costUsd ?? facts.costUsd ?? 0}
              isModelShown={isReadOnly || capabilities.known.models.length === 0}
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
      </section>
    </Pane.Provider>
  )
}

function Empty({ eventWindow }: { eventWindow: EventWindow }) {
  if (eventWindow.state === 'failed')
    return (
      <p class="empty problem" role="alert">
        {messageOf(eventWindow.failure)}
      </p>
    )
  return <p class="empty">{eventWindow.state === 'opening' ? 'Opening…' : 'Nothing has been said yet.'}</p>
}

/**
 * Returns the session's event window and record. Renders at most once per animation frame, while the pane is visible.
 */
function useSession(
  mux: Mux,
  session: string,
): { eventWindow: EventWindow; record: SessionRecord; pane: RefObject<HTMLElement | null> } {
  const [, draw] = useState(0)
  const pane = useRef<HTMLElement>(null)
  const parts = useMemo(() => {
    const scheduler = createRenderScheduler(() => draw(count => count + 1))
    return {
      scheduler,
      eventWindow: createEventWindow(mux, session, scheduler.ask),
      record: createSessionRecord(mux, session, scheduler.ask),
    }
  }, [mux, session])
  useEffect(() => {
    const { scheduler, eventWindow, record } = parts
    const detach = mux.onState(scheduler.ask)
    const sight = new IntersectionObserver(changes => scheduler.seen(changes.at(-1)!.isIntersecting))
    sight.observe(pane.current!)
    return () => {
      detach()
      sight.disconnect()
      scheduler.close()
      eventWindow.close()
      record.close()
    }
  }, [parts])
  return { ...parts, pane }
}

/** Returns the rows to render; the same array if nothing has changed. */
function useRows(eventWindow: EventWindow, opened: ReadonlyMap<string, boolean>): readonly Row[] {
  const rowsOf = useMemo(createRows, [eventWindow])
  return rowsOf(eventWindow.transcript, opened)
}

/** The capabilities of the newest process, read when the user is about to use them. */
function useCapabilities(mux: Mux, session: string, startedAt: number | undefined) {
  const [known, setKnown] = useState<{ capabilities: Capabilities; of: number | undefined }>()
  const [uses, setUses] = useState(0)
  const isCurrent = known !== undefined && (startedAt === undefined || known.of === startedAt)
  useEffect(() => {
    if (uses === 0 || isCurrent) return
    const stop = new AbortController()
    readCapabilities(mux, session, startedAt, stop.signal).then(
      // If the process has not answered yet, the next use reads again.
      capabilities => capabilities && setKnown({ capabilities, of: startedAt }),
      () => {
        // The prompt box works without them.
      },
    )
    return () => stop.abort()
  }, [uses, startedAt])
  return { known: known?.capabilities ?? noCapabilities, use: () => void (isCurrent || setUses(uses + 1)) }
}

function useSearch(rows: readonly Row[], list: { current: RowList | null }) {
  const [isOpen, setOpen] = useState(false)
  const [asked, setAsked] = useState(0)
  const [words, setWords] = useState('')
  // The key of the match that is shown.
  const [shown, setShown] = useState<string>()
  const wanted = isOpen ? words : ''
  const found = useMemo(() => findRows(rows, wanted), [rows, wanted])
  const at = Math.max(0, found.indexOf(shown ?? ''))
  const show = (key: string | undefined) => {
    setShown(key)
    if (key !== undefined) list.current?.toRow(key)
  }
  // After each render, because other rows may be rendered now.
  useEffect(() => (wanted.trim() ? markFound('muxd-found', list.current?.drawn ?? [], wanted) : undefined))
  return {
    isOpen,
    words,
    found,
    at,
    asked,
    open() {
      setOpen(true)
      setAsked(asked + 1)
    },
    close: () => setOpen(false),
    look(next: string) {
      setWords(next)
      // Show the newest match first, because users mostly look for it.
      show(findRows(rows, next).at(-1))
    },
    step: (by: number) => show(found.at((at + by) % found.length)),
  }
}

const firstRowOf = (rows: readonly Row[], item: string) => rows.find(row => row.item.key === item)?.key ?? item

const promptsOf = (eventWindow: EventWindow): string[] =>
  eventWindow.transcript.items.flatMap(item => (item.kind === 'prompt' && item.text.trim() ? [item.text] : []))

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
