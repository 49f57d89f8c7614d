import type { Call } from './prompt.ts'
import type { Session } from './session.ts'
import type { ToolOutcome } from './tools.ts'
import type { Turn } from './turn.ts'

/** One thing that happens in a turn. Rejects when the turn is stopped. The outcomes of tools go back to the script. */
export type Step = (turn: Turn) => Promise<ToolOutcome[] | void>

/** The prompt and the session that a script is played for. */
export interface Scene {
  call: Call
  session: Session
}

export type Play = (scene: Scene) => AsyncGenerator<Step, void, ToolOutcome[]>

/** A row of the table of scripts. */
export interface Script {
  /** What the script shows, in one sentence for `sim:help` and docs/simulator.md. */
  about: string
  /** Options with their defaults, as they are written in a prompt. */
  options?: string
  /** Only the script itself prints: there is no `init` and no `result`. */
  bare?: true
  /** Never joins a running turn, because it begins or ends in its own way. */
  apart?: true
  /** Called before `init` is printed. */
  before?: (turn: Turn) => void
  play: Play
}

export type Scripts = Record<string, Script>
