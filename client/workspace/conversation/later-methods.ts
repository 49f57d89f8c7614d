import type { Mux, Run, Session } from '../../browser.ts'

/** Methods that a daemon may be too old for. */
interface LaterMethods {
  session: { update(params: { session: string; model?: string; permissionMode?: string }): Promise<Session> }
  run: { move(params: { run: string; to: number }): Promise<Run> }
}

const later = (mux: Mux) => mux.api as unknown as LaterMethods

export const updateSession = (mux: Mux, params: Parameters<LaterMethods['session']['update']>[0]) =>
  later(mux).session.update(params)

export const moveRun = (mux: Mux, run: string, to: number) => later(mux).run.move({ run, to })
