import type { RefObject } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Mux } from '../../sdk/browser.ts'
import { createEventWindow, type EventWindow } from './event-window/event-window.ts'
import { createRenderScheduler } from './render-scheduler.ts'
import { createSessionRecord, type SessionRecord } from './session-record.ts'

/** A session's event window and record, and the ref of the element that shows them. */
export interface LiveSession {
  eventWindow: EventWindow
  record: SessionRecord
  pane: RefObject<HTMLElement | null>
}

/** Renders at most once per animation frame, while the pane is visible. */
export function useLiveSession(mux: Mux, session: string): LiveSession {
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
