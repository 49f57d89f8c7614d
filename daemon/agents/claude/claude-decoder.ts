import type { BackgroundTasks } from './facts/background-tasks.ts'
import type { TranslatorState } from './translate/state.ts'

/** The state of the decoder of one process. */
export interface ClaudeDecoder {
  translator: TranslatorState
  tasks: BackgroundTasks
}
