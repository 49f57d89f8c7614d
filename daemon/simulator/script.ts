import type { Call } from './prompt.ts'
import type { Session } from './session.ts'
import type { ToolOutcome } from './tools.ts'
import type { Turn } from './turn.ts'

/** One thing that happens in a turn. Rejects when the turn is stopped. What tools gave goes back to the script. */
export type Step = (turn: Turn) => Promise<ToolOutcome[] | void>

/** What a script knows of the prompt and of the session. */
export interface Scene {
  call: Call
  session: Session
}

export type Play = (scene: Scene) => AsyncGenerator<Step, void, ToolOutcome[]>

/** A row of the table of scripts. */
export interface Script {
  /** What it shows, in one sentence: `sim:help` and docs/simulator.md say it. */
  about: string
  /** Options with their defaults, as they are written in a prompt. */
  options?: string
  /** Nothing is printed but what the script prints itself: no `init`, no `result`. */
  bare?: true
  /** Never joins a running turn: it has a way of its own to begin or to end. */
  apart?: true
  /** What comes before `init`. */
  before?: (turn: Turn) => void
  play: Play
}

export type Scripts = Record<string, Script>
