import { Path } from '../../parts/path.tsx'
import { type Field, type Todo, toolView } from '../model/tool-view.ts'
import { Folded } from './folded.tsx'

/** The input of a tool. `of` is the key that stores whether it is unfolded. */
export function ToolInput({ of, tool, input }: { of: string; tool: string; input: unknown }) {
  const view = toolView(tool, input)
  switch (view.as) {
    case 'command':
      return <Folded of={of} text={view.command} lines={8} class="input" />
    case 'text':
      return <Folded of={of} text={view.text} lines={4} class="input prose" />
    case 'todos':
      return <Todos todos={view.todos} />
    case 'fields':
      return <Fields of={of} fields={view.fields} />
  }
}

const marks = { pending: '○', in_progress: '◐', completed: '✓' }
const said = { pending: 'to do', in_progress: 'in progress', completed: 'done' }

function Todos({ todos }: { todos: readonly Todo[] }) {
  return (
    <ul class="todos">
      {todos.map(({ text, state }, index) => (
        <li key={index} data-state={state}>
          <span class="todo-mark" aria-hidden="true">
            {marks[state]}
          </span>
          <span class="unseen">{said[state]}: </span>
          <span dir="auto">{text}</span>
        </li>
      ))}
    </ul>
  )
}

/** Shows names and values. */
export function Fields({ of, fields }: { of: string; fields: readonly Field[] }) {
  return (
    <dl class="fields">
      {fields.map(({ name, value, isPath, isLong }) => (
        <div key={name} class={isLong ? 'field-long' : ''}>
          <dt>{name}</dt>
          <dd>
            {isPath ? (
              <Path of={value} class="mono" />
            ) : isLong ? (
              <Folded of={`${of}/${name}`} text={value} lines={8} class="input" />
            ) : (
              <span dir="auto">{value}</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}
