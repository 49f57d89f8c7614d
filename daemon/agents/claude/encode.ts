import type { Command, Line } from '../agent.ts'
import {
  initializeLine,
  interruptLine,
  modelLine,
  permissionLine,
  permissionModeLine,
  permissionsLine,
  userLine,
} from './control.ts'
import type { ClaudeDecoder } from './claude-decoder.ts'
import { parsePermissionRules, permissionSettings } from './permission-rules.ts'

/** The lines of a command. A request has its own id as the id of its line. */
export function encode(_decoder: ClaudeDecoder, command: Command): readonly Line[] {
  switch (command.command) {
    case 'first':
      return [{ lineId: 'init', line: initializeLine('init') }]
    case 'prompt':
      return [{ lineId: command.id, line: userLine(command.id, command.text) }]
    case 'answer': {
      const { approval, requestId, answer, input } = command
      return [{ lineId: `answer-${approval}`, line: permissionLine(requestId, answer, input) }]
    }
    case 'withdraw':
      // An interrupt takes the questions of its turn back by itself.
      return []
    case 'interrupt':
      return requestLine(command, interruptLine(command.requestId))
    case 'setModel':
      return requestLine(command, modelLine(command.requestId, command.model))
    case 'setMode':
      return requestLine(command, permissionModeLine(command.requestId, command.mode))
    case 'setRules': {
      const settings = permissionSettings(parsePermissionRules(command.rules, command.cwd))
      return requestLine(command, permissionsLine(command.requestId, settings))
    }
    default:
      return command satisfies never
  }
}

const requestLine = ({ requestId }: { requestId: string }, line: string): Line[] => [{ lineId: requestId, line }]
