import type { EventBody } from '../../../protocol/index.ts'
import { nameOf, type Shape, shapeOf } from '../shape.ts'
import type { TranslatorState } from './state.ts'
import type { Emit } from './turn-state.ts'

type TaskEvent = Extract<EventBody, { type: 'task' }>

const endedStatuses = new Set(['completed', 'failed', 'killed', 'stopped'])

/** `system/task_*`: what became of a sub-agent or a command in the background. */
export function taskFrame(phase: TaskEvent['phase']) {
  return (state: TranslatorState, frame: Shape, emit: Emit): void => {
    const taskId = nameOf(frame['task_id']) ?? ''
    const patch = shapeOf(frame['patch']) ?? frame
    const status = nameOf(patch['status'])
    const toolUseId = nameOf(frame['tool_use_id']) ?? state.tasks.get(taskId)
    const description = nameOf(patch['description'])
    const summary = nameOf(frame['summary']) ?? nameOf(patch['error'])
    const usage = shapeOf(frame['usage'])
    if (phase === 'started' && toolUseId !== undefined) state.tasks.set(taskId, toolUseId)
    if (phase === 'ended') state.tasks.delete(taskId)
    // Its notification follows, but a process that ends in between must not keep the lane for ever.
    if (phase === 'updated' && status !== undefined && endedStatuses.has(status)) state.tasks.delete(taskId)
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
