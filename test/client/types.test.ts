import { expectTypeOf, it } from 'vitest'
import type {
  DaemonEvent,
  Event,
  FrameEvent,
  Mux,
  Run,
  RunResult,
  Session,
  SessionsEvent,
  Subscription,
  WorkspacesEvent,
} from '../../client/sdk/index.ts'
import type { connect as connectInBrowser } from '../../client/sdk/browser.ts'
import type { Gap } from '../../client/sdk/index.ts'

// The type checker checks this code. It never runs.
const check = (code: (mux: Mux) => unknown) => code

it('an event is narrowed by its type', () => {
  check(async mux => {
    const run = await mux.run({ prompt: 'say hi', cwd: '.' })
    for await (const event of run.events()) {
      expectTypeOf(event).toEqualTypeOf<Event | Gap>()
      if (event.type === 'assistant_text') expectTypeOf(event.delta).toEqualTypeOf<string>()
      if (event.type === 'tool_result') expectTypeOf(event.isError).toEqualTypeOf<boolean>()
      if (event.type === 'gap') expectTypeOf(event.reason).toEqualTypeOf<'epoch_changed' | 'trimmed' | 'ahead_of_log'>()
      // @ts-expect-error no event has this type
      if (event.type === 'asistant_text') return
    }
  })
})

it('a topic determines the type of its events', () => {
  check(mux => {
    expectTypeOf(mux.subscribe('sessions')).toEqualTypeOf<Subscription<SessionsEvent | Gap>>()
    expectTypeOf(mux.subscribe('daemon')).toEqualTypeOf<Subscription<DaemonEvent | Gap>>()
    expectTypeOf(mux.subscribe('session/s_1')).toEqualTypeOf<Subscription<Event | Gap>>()
    expectTypeOf(mux.subscribe('session/s_1/frames')).toEqualTypeOf<Subscription<FrameEvent | Gap>>()
    expectTypeOf(mux.subscribe('workspaces')).toEqualTypeOf<Subscription<WorkspacesEvent | Gap>>()
    const session: string = 's_1'
    expectTypeOf(mux.subscribe(`session/${session}`)).toEqualTypeOf<Subscription<Event | Gap>>()
    expectTypeOf(mux.subscribe(`session/${session}/frames`)).toEqualTypeOf<Subscription<FrameEvent | Gap>>()
    // @ts-expect-error no such topic
    mux.subscribe('session')
  })
})

it('methods have the params and results of the protocol', () => {
  check(mux => {
    expectTypeOf(mux.api.run.get).parameter(0).toEqualTypeOf<{ run: string }>()
    expectTypeOf(mux.api.run.get).returns.resolves.toEqualTypeOf<Run>()
    expectTypeOf(mux.api.session.list).returns.resolves.toEqualTypeOf<{ sessions: Session[]; next?: string }>()
    // @ts-expect-error no such method
    void mux.api.run.begin({})
    // @ts-expect-error a prompt is needed
    void mux.api.run.start({ session: 's_1' })
  })
})

it('a run needs a session or a directory, not both', () => {
  check(async mux => {
    // @ts-expect-error neither a session nor a directory
    await mux.run({ prompt: 'x' })
    // @ts-expect-error both a session and a directory
    await mux.run({ prompt: 'x', session: 's_1', cwd: '.' })
    const run = await mux.run({ prompt: 'x', session: 's_1' })
    expectTypeOf(run.result()).resolves.toEqualTypeOf<RunResult>()
  })
})

it('connect() in a browser requires a url', () => {
  expectTypeOf<typeof connectInBrowser>().parameter(0).toHaveProperty('url').toEqualTypeOf<string>()
})
