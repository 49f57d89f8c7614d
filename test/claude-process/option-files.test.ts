import { describe, expect, it } from 'vitest'
import { optionFiles } from '../../daemon/agents/claude/launch/option-files.ts'

const of = (options: Parameters<typeof optionFiles>[0]) => {
  const { options: given, files } = optionFiles(options, '/d')
  return { given, files: Object.fromEntries(files) }
}

describe('options that may be long or secret', () => {
  it('become files, and paths stay paths', () => {
    expect(of({ model: 'm', appendSystemPrompt: 'p', settings: '{"a":1}', mcpConfig: ['x.json', ' {"b":2}'] })).toEqual(
      {
        given: {
          model: 'm',
          appendSystemPromptFile: '/d/append-system-prompt.txt',
          settings: '/d/settings.json',
          mcpConfig: ['x.json', '/d/mcp-config-1.json'],
        },
        files: { 'append-system-prompt.txt': 'p', 'settings.json': '{"a":1}', 'mcp-config-1.json': ' {"b":2}' },
      },
    )
    expect(of({ settings: 'dir/settings.json', mcpConfig: ['~/x', '[x].json'] })).toEqual({
      given: { settings: 'dir/settings.json', mcpConfig: ['~/x', '[x].json'] },
      files: {},
    })
  })

  it('become files also if their JSON is invalid', () => {
    expect(of({ settings: '{"key": "secret"' }).files).toEqual({ 'settings.json': '{"key": "secret"' })
  })

  it.each(['--append-system-prompt', '--append-system-prompt=x', '--append-system-prompt-file=x'])(
    'leave the system prompt to args that contain %s',
    arg => expect(of({ appendSystemPrompt: 'p', args: [arg] })).toEqual({ given: { args: [arg] }, files: {} }),
  )

  it('leave the settings to args, but keep MCP servers beside those of args', () => {
    const args = ['--settings', '{}', '--mcp-config', 'y.json']
    expect(of({ settings: '{"a":1}', mcpConfig: ['x.json'], args })).toEqual({
      given: { args, mcpConfig: ['x.json'] },
      files: {},
    })
  })
})
