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
import { parsePermissionRules, permissionSettings } from './permissions/permission-rules.ts'

/** Returns the lines of a command. The id of a request is also the id of its line. */
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
      // An interrupt makes Claude Code withdraw the questions of its turn.
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
