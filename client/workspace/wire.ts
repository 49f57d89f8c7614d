import type { Actor, Mux, Tokens } from '../browser.ts'

/** A question of Claude Code's that somebody has to answer. */
export interface Approval {
  approval: string
  session: string
  run: string | null
  kind: 'tool' | 'question' | 'plan'
  tool: string
  input: unknown
  toolUseId: string
  description?: string
  suggestions?: unknown[]
  state: 'pending' | 'resolved'
  requestedAt: number
  expiresAt: number | null
  decision?: 'allow' | 'deny' | 'expired' | 'withdrawn'
  by?: Actor | { policy: string }
  message?: string
  resolvedAt?: number
}

export interface ApprovalAnswer {
  approval: string
  decision: 'allow' | 'deny'
  message?: string
  input?: Record<string, unknown>
  answers?: Record<string, string | string[]>
  remember?: boolean
  interrupt?: boolean
}

export interface UsageRow {
  day?: string
  model?: string | null
  costUsd: number
  tokens: Tokens
  runs: number
}

export interface Usage {
  rows: UsageRow[]
  more: number
  total: Pick<UsageRow, 'costUsd' | 'tokens' | 'runs'>
  timeZone: string
}

type Call<Params, Result> = (params: Params, options?: { signal?: AbortSignal | undefined }) => Promise<Result>

/** The methods that the page calls beside those of sessions, runs and topics. */
export type Api = Mux['api'] & {
  approval: {
    list: Call<{ session?: string; state?: 'pending'; after?: string }, { approvals: Approval[]; next?: string }>
    answer: Call<ApprovalAnswer & { key?: string }, Approval>
  }
  usage: {
    get: Call<{ from?: number; to?: number; by?: ('day' | 'model')[]; timeZone?: string; limit?: number }, Usage>
  }
}

export const apiOf = (mux: Mux): Api => mux.api as Api

/** Whether the daemon is older than the method that was called. */
export const isUnknownMethod = (error: unknown): boolean => (error as { kind?: unknown }).kind === 'unknown_method'
