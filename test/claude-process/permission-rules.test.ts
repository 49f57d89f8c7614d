import { describe, expect, it, test } from 'vitest'
import {
  BadPermissionRule,
  parsePermissionRules,
  permissionSettings,
} from '../../daemon/agents/claude/permissions/permission-rules.ts'

const settings = (rules: string[], cwd = '/home/me/project') => permissionSettings(parsePermissionRules(rules, cwd))
const refusal = (rule: string, cwd = '/home/me/project') => {
  try {
    return settings([rule], cwd)
  } catch (error) {
    if (!(error instanceof BadPermissionRule)) throw error
    return error.message.replace(/^.* is no permission rule: expected /s, '')
  }
}

describe('a permission rule for Claude Code', () => {
  test.each<[string, string[]]>([
    ['Bash', ['Bash']],
    ['Bash(*)', ['Bash']],
    ['Bash (npm)', ['Bash(npm)']],
    ['Bash(npm run test:*)', ['Bash(npm run test:*)']],
    ['Bash(echo (x))', ['Bash(echo \\(x\\))']],
    ['Bash(echo \\))', ['Bash(echo \\))']],
    ['Bash(echo \\n)', ['Bash(echo \\\\n)']],
    ['Edit', ['Edit', 'MultiEdit', 'Write', 'NotebookEdit']],
    ['Edit(*)', ['Edit', 'MultiEdit', 'Write', 'NotebookEdit']],
    ['Read', ['Read', 'NotebookRead', 'Grep', 'Glob', 'LS']],
    ['Write', ['Write']],
    ['Task', ['Agent', 'Task']],
    ['Edit(src/**)', ['Edit(src/**)']],
    ['Edit (src/**)', ['Edit(src/**)']],
    ['Edit(/src/**)', ['Edit(//home/me/project/src/**)']],
    ['Edit(/src/)', ['Edit(//home/me/project/src/)']],
    ['Edit(../other/**)', ['Edit(//home/me/other/**)']],
    ['Edit(../../../x)', ['Edit(//x)']],
    ['Edit(//etc/**)', ['Edit(//etc/**)']],
    ['Edit(~/.ssh/**)', ['Edit(~/.ssh/**)']],
    ['Write(/src/**)', ['Edit(//home/me/project/src/**)']],
    ['MultiEdit(a)', ['Edit(a)']],
    ['NotebookEdit(a)', ['Edit(a)']],
    ['Grep(src/**)', ['Read(src/**)']],
    ['Glob(src/**)', ['Read(src/**)']],
    ['WebFetch(domain:Example.COM)', ['WebFetch(domain:example.com)']],
    ['WebFetch(domain:*)', ['WebFetch']],
    ['WebFetch(domain:bücher.example)', ['WebFetch(domain:xn--bcher-kva.example)']],
    ['mcp__a', ['mcp__a']],
    ['mcp__a__*', ['mcp__a']],
    ['mcp__a__b', ['mcp__a__b']],
    ['Agent(Explore)', ['Agent(Explore)']],
    ['Skill(simplify)', ['Skill(simplify)']],
  ])('is translated: %s', (rule, expected) => {
    expect(settings([`deny ${rule}`])).toEqual({ allow: [], ask: [], deny: expected })
  })

  it('is anchored at its directory, whatever characters the name has', () => {
    expect(settings(['deny Edit(/x)'], '/a [b] *(c)')).toMatchObject({ deny: ['Edit(//a [[]b] [*]\\(c\\)/x)'] })
    expect(settings(['deny Edit(/x)'], '/')).toMatchObject({ deny: ['Edit(//x)'] })
  })

  it('is grouped by decision, and repeated tools are listed once', () => {
    expect(settings([' allow Bash(ls) ', 'deny Edit', 'ask\tBash', 'deny Write'])).toEqual({
      allow: ['Bash(ls)'],
      ask: ['Bash'],
      deny: ['Edit', 'MultiEdit', 'Write', 'NotebookEdit'],
    })
  })
})

describe('a rule that Claude Code would ignore is refused', () => {
  test.each([
    ['', 'allow, deny or ask, then TOOL or TOOL(pattern)'],
    ['Bash', 'allow, deny or ask, then TOOL or TOOL(pattern)'],
    ['forbid Bash', 'allow, deny or ask, then TOOL or TOOL(pattern)'],
    ['deny bash', 'Bash instead of bash'],
    ['deny WebFtech', "the name of a tool of Claude Code's instead of WebFtech, or mcp__server"],
    ['deny *', "the name of a tool of Claude Code's instead of *, or mcp__server"],
    ['deny E*', "the name of a tool of Claude Code's instead of E*, or mcp__server"],
    ['deny Edit(w/**', 'a closing parenthesis'],
    ['deny Edit(w/(**)', 'a closing parenthesis'],
    ['deny Edit(w/**\\)', 'a closing parenthesis'],
    ['deny Edit(w/**))', 'nothing behind the closing parenthesis'],
    ['deny Edit(w/**)x', 'nothing behind the closing parenthesis'],
    ['deny Edit w/**', 'parentheses around the pattern'],
    ['deny Edit()', 'a pattern in the parentheses, or none of them'],
    ['deny Edit( )', 'a pattern in the parentheses, or none of them'],
    ['deny Edit( w/** )', 'a pattern without blanks at its ends'],
    ['deny Bash( npm)', 'a pattern without blanks at its ends'],
    ['deny Bash(npm )', 'a pattern without blanks at its ends'],
    ['deny Edit(!w)', 'a path without `!`'],
    ['deny Edit({a,b}/**)', 'a path without braces: a rule for each alternative'],
    ['deny Edit(a\\b)', 'a path without backslashes'],
    ['deny Edit(a[b)', 'every `[` to be closed'],
    ['deny Edit(/)', 'a path; `**` is everything'],
    ['deny Edit(.)', 'a path; `**` is everything'],
    ['deny Edit(a/../b)', 'a path with `..` at its beginning only'],
    ['deny Edit(/../b)', 'a path with `..` at its beginning only'],
    ['deny Edit(/home/me/project/w/**)', '//home/me/project/w/**, for a path from the root begins with two slashes'],
    ['deny Bash(touch:* x)', '`:*` at the end of a command only'],
    ['deny Bash(:*)', '`:*` at the end of a command only'],
    ['deny Bash(command:ls)', 'a command, for there is no pattern for the parameter command'],
    ['deny WebFetch(https://example.com/*)', '`domain:` and a host, as in WebFetch(domain:example.com)'],
    ['deny WebFetch(domain:example.com/a)', 'a host alone, without scheme, port or path'],
    ['deny WebFetch(domain:example.com:80)', 'a host alone, without scheme, port or path'],
    ['deny WebFetch(domain:*.example.com)', 'one host, for older Claude Code ignores `*.` in a rule that forbids'],
    ['deny WebSearch(x)', 'WebSearch without parentheses, for Claude Code knows no pattern for it'],
    ['deny AskUserQuestion(x)', 'AskUserQuestion without parentheses, for Claude Code knows no pattern for it'],
    ['deny mcp__a__b(x)', 'mcp__a__b without parentheses, for Claude Code knows no pattern for it'],
    ['deny mcp__*', 'mcp__server, mcp__server__tool or mcp__server__*'],
    ['deny mcp__', 'mcp__server, mcp__server__tool or mcp__server__*'],
    ['deny Agent(x*)', 'the name of one agent, without `*`'],
    ['ask Agent(x)', 'ask Agent without parentheses, for Claude Code ignores the name of one agent'],
    ['ask Skill(x)', 'ask Skill without parentheses, for Claude Code ignores the name of one skill'],
    ['allow AskUserQuestion', 'deny or ask, for nothing but a person answers AskUserQuestion'],
    ['allow ExitPlanMode', 'deny or ask, for nothing but a person answers ExitPlanMode'],
  ])('%j', (rule, expected) => {
    expect(refusal(rule)).toBe(expected)
  })

  it('with its index', () => {
    expect(() => settings(['allow Read', 'deny edit'])).toThrow(expect.objectContaining({ index: 1 }) as Error)
  })

  it('also if no pattern can name its directory', () => {
    expect(refusal('deny Edit(/x)', '/a\\b')).toContain('a path from the root')
  })
})
