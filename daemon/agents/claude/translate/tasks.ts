import { keepNewest } from '../../../keep-newest.ts'
import type { EventBody } from '../../../../protocol/index.ts'
import { endedStatuses } from '../facts/background-tasks.ts'
import { nameOf, type Shape, shapeOf } from '../frame/shape.ts'
import { closeLane } from './messages.ts'
import type { TranslatorState } from './state.ts'

import type { Emit } from './turn-state.ts'

type TaskEvent = Extract<EventBody, { type: 'task' }>

/** Ends a task and closes its lane, because no frame ends the last message of its agent. */
function endTask(state: TranslatorState, taskId: string, emit: Emit): void {
  const call = state.tasks.get(taskId)
  state.tasks.delete(taskId)
  const lane = call === undefined ? undefined : state.turn.lanes.get(call)
  if (lane) closeLane(state.turn, lane, emit)
}

/** `system/task_*`: the progress of a sub-agent or a background command. */
export function taskFrame(phase: TaskEvent['phase']) {
  return (state: TranslatorState, frame: Shape, emit: Emit): void => {
    const taskId = nameOf(frame['task_id']) ?? ''
    const patch = shapeOf(frame['patch']) ?? frame
    const status = nameOf(patch['status'])
    const toolUseId = nameOf(frame['tool_use_id']) ?? state.tasks.get(taskId)
    const description = nameOf(patch['description'])
    const summary = nameOf(frame['summary']) ?? nameOf(patch['error'])
    const usage = shapeOf(frame['usage'])
    if (phase === 'started' && toolUseId !== undefined) {
      state.tasks.set(taskId, toolUseId)
      keepNewest(state.tasks)
    }
    // `task_updated` may report the end first. The notification follows, unless the process ends in between.
    const ended = phase === 'ended' || (phase === 'updated' && status !== undefined && endedStatuses.has(status))
    if (ended) endTask(state, taskId, emit)
    emit({
      type: 'task',
      phase,
      taskId,
      ...(toolUseId !== undefined && { toolUseId }),
      ...(description !== undefined && { description }),
      ...(status !== undefined && { status }),
      ...(summary !== undefined && { summary }),
      ...(usage !== undefined && { usage }),
    })
  }
}
