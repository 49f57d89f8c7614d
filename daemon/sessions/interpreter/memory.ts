import type { StoredProcess } from '../../store/store.ts'
import type { Machine } from '../machine/machine.ts'
import type { Records } from '../machine/project.ts'
import type { Reread } from '../recovery/snapshots.ts'

/** What a session has in memory. A restoration replaces it by what is stored. */
export interface Memory {
  m: Machine
  /** The records as they are stored, or are about to be. */
  records: Records | undefined
  /** The record of the process, if it has one. */
  row: StoredProcess | undefined
  /** The record of the process has changed without a step. */
  owesRow: boolean
  /** Raised with each restoration. */
  life: number
  /** How much the last restoration has read again. */
  reread: Reread | undefined
  /** `leaving`: only what a start under way leads to is taken. `over`: nothing is taken any more. */
  mode: 'open' | 'leaving' | 'over'
  /** Why the daemon stops. */
  stopReason: string | undefined
}
