import { posix } from 'node:path'
import { agentTools, editingTools, readingTools } from './tool-names.ts'

export type PermissionDecision = 'allow' | 'ask' | 'deny'

export interface Expectation {
  expected: string
}

/**
 * Returns the pattern of a rule in the form that Claude Code accepts; `*` for every use of the tool. Returns an
 * `Expectation` for a pattern that any supported version of Claude Code ignores.
 */
export function patternOf(
  tool: string,
  pattern: string,
  decision: PermissionDecision,
  cwd: string,
): string | Expectation {
  if (tool === 'Bash' || tool === 'PowerShell') return commandPattern(pattern)
  if (editingTools.includes(tool) || readingTools.includes(tool)) return pathPattern(pattern, cwd)
  if (tool === 'WebFetch') return domainPattern(pattern, decision)
  if (agentTools.includes(tool) || tool === 'Skill') return namePattern(tool, pattern, decision)
  return { expected: `${tool} without parentheses, for Claude Code knows no pattern for it` }
}

function commandPattern(text: string): string | Expectation {
  const parameter = /^(command|description|timeout|run_in_background|dangerouslyDisableSandbox):(?!\*$)/.exec(text)?.[1]
  if (parameter !== undefined) return { expected: `a command, for there is no pattern for the parameter ${parameter}` }
  if (text === ':*' || text.slice(0, -2).includes(':*')) return { expected: '`:*` at the end of a command only' }
  return text
}

/**
 * Paths are as in .gitignore. `//x` is absolute, `~/x` is in the home directory, and `/x` and `../x` are relative to
 * the directory of the session.
 */
function pathPattern(text: string, cwd: string): string | Expectation {
  if (text.startsWith('!')) return { expected: 'a path without `!`' }
  if (/[{}]/.test(text)) return { expected: 'a path without braces: a rule for each alternative' }
  if (text.includes('\\')) return { expected: 'a path without backslashes' }
  if (/\[(?![^/]*\])/.test(text)) return { expected: 'every `[` to be closed' }
  const names = text.split('/').filter(name => name !== '' && name !== '.' && name !== '~')
  if (names.length === 0) return { expected: 'a path; `**` is everything' }
  const up = names.findLastIndex(name => name === '..')
  if (up >= 0 && (!/^(?:\.\/)*\.\.\//.test(text) || names.slice(0, up).some(name => name !== '..')))
    return { expected: 'a path with `..` at its beginning only' }
  if (text.startsWith('//') || text.startsWith('~/')) return text
  if (up < 0 && !text.startsWith('/')) return text
  if (cwd.includes('\\')) return { expected: 'a path from the root, for the directory has a backslash in its name' }
  if (text.startsWith(`${cwd}/`)) return { expected: `/${text}, for a path from the root begins with two slashes` }
  // Claude Code anchors `/x` at the source of the rule, and does not resolve `..`.
  const rest = text.endsWith('/') ? [...names, ''] : names
  return `/${literal(posix.resolve(cwd, ...names.slice(0, up + 1)))}/${rest.slice(up + 1).join('/')}`.replace(
    /^\/+/,
    '//',
  )
}

/** Escapes the characters of a directory's name that have a meaning in a pattern. */
const literal = (path: string) => path.replace(/[*?[]/g, '[$&]')

function domainPattern(text: string, decision: PermissionDecision): string | Expectation {
  const host = /^domain:(.+)$/.exec(text)?.[1]
  if (host === undefined) return { expected: '`domain:` and a host, as in WebFetch(domain:example.com)' }
  if (host === '*') return '*'
  const below = host.startsWith('*.')
  const name = below ? host.slice(2) : host
  const parsed = URL.canParse(`http://${name}/`) ? new URL(`http://${name}/`).host : undefined
  // `parsed` is the host in lower case and in ASCII, because Claude Code compares the text.
  if (parsed === undefined || /[^\p{L}\p{N}.:[\]_-]/u.test(name) || name.replace(/^\[.*\]/, '').includes(':'))
    return { expected: 'a host alone, without scheme, port or path' }
  if (below && decision !== 'allow')
    return { expected: 'one host, for older Claude Code ignores `*.` in a rule that forbids' }
  return `domain:${below ? '*.' : ''}${parsed}`
}

function namePattern(tool: string, name: string, decision: PermissionDecision): string | Expectation {
  const what = tool === 'Skill' ? 'skill' : 'agent'
  if (decision === 'ask')
    return { expected: `ask ${tool} without parentheses, for Claude Code ignores the name of one ${what}` }
  const parameter = /^(model|prompt|description|run_in_background|isolation|resume):/.exec(name)?.[1]
  if (parameter !== undefined && tool !== 'Skill')
    return { expected: `the name of an agent, for there is no pattern for the parameter ${parameter}` }
  return /[*()\\]/.test(name) ? { expected: `the name of one ${what}, without \`*\`` } : name
}
