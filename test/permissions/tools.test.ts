import { readFileSync } from 'node:fs'
import { describe, expect, it, test } from 'vitest'
import { BadPermissionRule, decidePermission, parsePermissionRules } from '../../daemon/claude/permission-rules.ts'

const cwd = '/home/me/project'
const decide = (rules: readonly string[], tool: string, input: unknown, links: Record<string, string> = {}) => {
  const realPath = (path: string): string => {
    const link = Object.keys(links).find(each => path === each || path.startsWith(`${each}/`))
    return link === undefined ? path : realPath(links[link]! + path.slice(link.length))
  }
  return decidePermission(parsePermissionRules(rules), tool, input, cwd, { home: '/home/me', realPath })?.decision
}

describe('a pattern of paths', () => {
  test.each([
    // [pattern, path, allow, deny]
    ['src/**', 'src/a.ts', true, true],
    ['src/**', `${cwd}/src/a/b.ts`, true, true],
    ['src/**', 'src', false, true],
    ['src/**', 'srcs/a.ts', false, false],
    ['src/**', 'lib/src/a.ts', false, true],
    ['./src/**', 'lib/src/a.ts', false, false],
    ['/src/**', 'src/a.ts', true, true],
    ['/src/**', '/src/a.ts', false, false],
    ['/src/**', 'lib/src/a.ts', false, false],
    ['src/**', 'src/../secret', false, false],
    ['src/**', 'src/./a', true, true],
    ['src/**', '/home/me/project2/src/a', false, false],
    ['src/*.ts', 'src/a.ts', true, true],
    ['src/*.ts', 'src/b/a.ts', false, false],
    ['src/*', 'src/b/a.ts', false, true],
    ['src/**/*.ts', 'src/a.ts', true, true],
    ['src/**/*.ts', 'src/b/c/a.ts', true, true],
    ['src/**/*.ts', 'src/b/c/a.js', false, false],
    ['**/test/*.ts', 'a/test/b.ts', true, true],
    ['**/test/*.ts', 'test/b.ts', true, true],
    ['**', 'a/b', true, true],
    ['**', '../a', false, false],
    ['.env', '.env', true, true],
    ['.env', 'a/b/.env', true, true],
    ['.env', '../.env', false, false],
    ['.env', '.env.local', false, false],
    ['./.env', 'a/.env', false, false],
    ['*.env', 'a/x.env', true, true],
    ['.ENV', '.env', false, true],
    ['.env', 'A/.ENV', false, true],
    ['docs', 'docs/a/b.md', true, true],
    ['docs/', 'docs/a/b.md', true, true],
    ['docs/', 'docs', false, true],
    ['*.md', 'a.md/evil.sh', false, true],
    ['//etc/hosts', '/etc/hosts', true, true],
    ['//etc/**', '/etc/a/b', true, true],
    ['//etc/**', 'etc/a', false, false],
    ['//**/.env', '/anywhere/.env', true, true],
    ['//**/.env', '.env', true, true],
    ['//home/*/x', '/home/you/x', true, true],
    ['/home/me/project/a', `${cwd}/a`, false, false],
    ['~/.ssh/**', '/home/me/.ssh/id', true, true],
    ['~/.ssh/**', '~/.ssh/id', true, true],
    ['~/.ssh/**', '../.ssh/id', true, true],
    ['~/.ssh/**', '~other/.ssh/id', false, false],
    ['../other/**', '/home/me/other/a', true, true],
    ['a?c', 'abc', true, true],
    ['a?c', 'a/c', false, false],
    ['a[bx]c', 'axc', true, true],
    ['a[!bx]c', 'axc', false, false],
    ['a[!bx]c', 'ayc', true, true],
    ['a[a-f]c', 'aec', true, true],
    ['a[A-F]c', 'aec', false, true],
    ['a\\*c', 'a*c', true, true],
    ['a\\*c', 'abc', false, false],
    ['a\\[b', 'a[b', true, true],
    ['**/a*b*c*d', 'x/aXbXcXe', false, false],
    ['a/**/b/**/c', 'a/x/b/y/z/c', true, true],
    ['a/**/b/**/c', 'a/x/y/z/c', false, false],
    ['a', 'a\0b', false, false],
    ['*', '/etc/passwd', true, true],
  ])('%s is %s: allows it %s, denies it %s', (pattern, path, allowed, denied) => {
    expect(decide([`allow Edit(${pattern})`], 'Edit', { file_path: path })).toBe(allowed ? 'allow' : undefined)
    expect(decide([`deny Edit(${pattern})`], 'Edit', { file_path: path })).toBe(denied ? 'deny' : undefined)
    expect(decide([`ask Edit(${pattern})`], 'Edit', { file_path: path })).toBe(denied ? 'ask' : undefined)
  })

  it('is matched within moments however it is made', () => {
    const pattern = `${'**/a*a*a*a*/'.repeat(20)}b`
    expect(decide([`allow Read(${pattern})`], 'Read', { file_path: `${'aaaaaaaaaaaaaaaa/'.repeat(100)}c` })).toBe(
      undefined,
    )
  })

  test.each([
    [
      'a file behind a link that leaves',
      'allow Edit(src/**)',
      'src/link/x',
      { [`${cwd}/src/link`]: '/etc' },
      undefined,
    ],
    ['a directory that is a link itself', 'allow Edit(src/**)', 'src/x', { [`${cwd}/src`]: '/etc' }, undefined],
    ['the same, named from the root', `allow Edit(/${cwd}/src/**)`, 'src/x', { [`${cwd}/src`]: '/etc' }, undefined],
    ['a link that stays', 'allow Edit(src/**)', 'src/link', { [`${cwd}/src/link`]: `${cwd}/src/a` }, 'allow'],
    ['a working directory behind a link', 'allow Edit(src/**)', 'src/x', { [cwd]: '/mnt/project' }, 'allow'],
    ['a directory elsewhere behind a link', 'allow Edit(//tmp/**)', '/tmp/x', { '/tmp': '/private/tmp' }, 'allow'],
    ['a link to what is forbidden', 'deny Read(~/.ssh/**)', 'key', { [`${cwd}/key`]: '/home/me/.ssh/id' }, 'deny'],
    ['what is forbidden, behind a link', 'deny Read(~/.ssh/**)', '/safe/id', { '/home/me/.ssh': '/safe' }, 'deny'],
  ])('counts where links lead: %s', (_, rule, path, links, decision) => {
    expect(decide([rule], rule.includes('Edit') ? 'Edit' : 'Read', { file_path: path }, links)).toBe(decision)
  })
})

describe('a rule for a tool', () => {
  const a = { file_path: 'src/a' }
  test.each([
    ['Edit(src/**)', 'Write', a, true],
    ['Edit(src/**)', 'MultiEdit', a, true],
    ['Edit(src/**)', 'NotebookEdit', { notebook_path: 'src/a' }, true],
    ['Edit(src/**)', 'NotebookEdit', { notebook_path: 'b', file_path: 'src/a' }, false],
    ['Edit(src/**)', 'Read', a, false],
    ['Edit(src/**)', 'Edit', {}, false],
    ['Edit(src/**)', 'Edit', { file_path: 3 }, false],
    ['Edit(src/**)', 'Edit', null, false],
    ['Edit', 'Write', a, true],
    ['Write(src/**)', 'Write', a, true],
    ['Write(src/**)', 'Edit', a, false],
    ['Write', 'Edit', a, false],
    ['Read(src/**)', 'Read', a, true],
    ['Read(src/**)', 'Grep', { pattern: 'x', path: 'src' }, true],
    ['Read(src/**)', 'Grep', { pattern: 'x' }, false],
    ['Read(src/**)', 'Grep', { pattern: 'x', path: '.', file_path: 'src/a' }, false],
    ['Read(**)', 'Grep', { pattern: 'x' }, true],
    ['Read(src/*)', 'Grep', { pattern: 'x', path: 'src' }, false],
    ['Read(src/**)', 'LS', { path: `${cwd}/src/b` }, true],
    ['Read(src/**)', 'Glob', { pattern: '*.ts', path: 'src' }, true],
    ['Read(src/**)', 'Glob', { pattern: '../*', path: 'src' }, false],
    ['Read(src/**)', 'Glob', { pattern: '/etc/*', path: 'src' }, false],
    ['Read', 'Glob', { pattern: '/etc/*' }, true],
    ['Read(src/**)', 'Edit', a, false],
    ['WebFetch', 'WebFetch', { url: 'nonsense' }, true],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://example.com/a?b' }, true],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://EXAMPLE.com.:8443/' }, true],
    ['WebFetch(domain:Example.com.)', 'WebFetch', { url: 'https://example.com' }, true],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://www.example.com' }, false],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://example.com.evil.net' }, false],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://example.com@evil.net' }, false],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'https://evil.net\\@example.com' }, false],
    ['WebFetch(domain:example.com)', 'WebFetch', { url: 'example.com' }, false],
    ['WebFetch(domain:example.com)', 'WebFetch', {}, false],
    ['WebFetch(domain:*.example.com)', 'WebFetch', { url: 'https://a.b.example.com' }, true],
    ['WebFetch(domain:*.example.com)', 'WebFetch', { url: 'https://example.com' }, false],
    ['WebFetch(domain:*.example.com)', 'WebFetch', { url: 'https://evilexample.com' }, false],
    ['WebFetch(domain:example.*)', 'WebFetch', { url: 'https://example.org' }, true],
    ['WebFetch(domain:example.*)', 'WebFetch', { url: 'https://example.evil.com' }, false],
    ['WebFetch(domain:*)', 'WebFetch', { url: 'https://anything.net' }, true],
    ['WebFetch(domain:[::1])', 'WebFetch', { url: 'http://[::1]:80/' }, true],
    ['WebSearch', 'WebSearch', { query: 'x' }, true],
    ['mcp__git', 'mcp__git__push', {}, true],
    ['mcp__git', 'mcp__github__push', {}, false],
    ['mcp__git__*', 'mcp__git__push', {}, true],
    ['mcp__git__get_*', 'mcp__git__get_all', {}, true],
    ['mcp__git__get_*', 'mcp__git__put', {}, false],
    ['mcp__git__push', 'mcp__git__push', {}, true],
    ['mcp__git__push', 'mcp__git__push_all', {}, false],
    ['Task(reviewer)', 'Task', { subagent_type: 'reviewer' }, true],
    ['Task(reviewer)', 'Agent', { subagent_type: 'reviewer' }, true],
    ['Agent(reviewer)', 'Task', { subagent_type: 'other' }, false],
    ['Agent(reviewer)', 'Task', {}, false],
    ['Agent', 'Task', {}, true],
    ['Skill(deploy)', 'Skill', { skill: 'deploy' }, true],
    ['Skill(deploy)', 'Skill', { skill: 'deploy', args: 'now' }, false],
    ['Skill(deploy *)', 'Skill', { skill: 'deploy', args: 'now' }, true],
    ['TodoWrite', 'TodoWrite', {}, true],
    ['Bash', 'BashOutput', {}, false],
    ['Bash', 'Bash', {}, true],
    ['Bash(ls)', 'Bash', { command: ['ls'] }, false],
  ])('allow %s, %s of %j: %s', (rule, tool, input, allowed) => {
    expect(decide([`allow ${rule}`], tool, input)).toBe(allowed ? 'allow' : undefined)
  })

  test.each([
    ['Read(.env)', 'Edit', { file_path: '.env' }, true],
    ['Read(.env)', 'Write', { file_path: 'a/.env' }, true],
    ['Read(.env)', 'NotebookEdit', { notebook_path: '.env' }, false],
    ['Read(secrets/**)', 'Grep', { pattern: 'x', path: 'secrets' }, true],
    ['Read(secrets/**)', 'Glob', { pattern: 'secrets/*' }, true],
    ['Read(secrets/**)', 'Glob', { pattern: `${cwd}/secrets/*` }, true],
    ['Edit(.env)', 'Read', { file_path: '.env' }, false],
    ['mcp__*', 'mcp__any__tool', {}, true],
    ['mcp__git*__*', 'mcp__github__push', {}, true],
    ['WebFetch(domain:*)', 'WebFetch', { url: 'https://a.net' }, true],
  ])('deny %s, %s of %j: %s', (rule, tool, input, denied) => {
    expect(decide([`deny ${rule}`], tool, input)).toBe(denied ? 'deny' : undefined)
  })
})

describe('what is no rule', () => {
  test.each([
    ['', 'allow, deny or ask, then TOOL or TOOL(pattern)'],
    ['Bash', 'allow, deny or ask'],
    ['permit Bash', 'allow, deny or ask'],
    ['allow', 'allow, deny or ask'],
    ['allow Bash(ls', 'allow, deny or ask'],
    ['allow Bash(ls) please', 'allow, deny or ask'],
    ['allow Bash()', 'a pattern in the parentheses'],
    ['allow bash', 'Bash instead of bash'],
    ['allow webfetch(domain:a.b)', 'WebFetch instead of webfetch'],
    ['allow *', 'the name of a tool'],
    ['deny B*', 'the name of a tool'],
    ['allow mcp__', 'mcp__server'],
    ['allow mcp__*', 'the name of a server'],
    ['allow mcp__git*__push', 'the name of a server'],
    ['allow mcp__git(push)', 'without parentheses'],
    ['allow WebSearch(cats)', 'WebSearch without parentheses'],
    ['allow TodoWrite(x)', 'TodoWrite without parentheses'],
    ['allow WebFetch(example.com)', '`domain:`'],
    ['allow WebFetch(domain:https://example.com)', 'a host alone'],
    ['allow WebFetch(domain:example.com:80)', 'a host alone'],
    ['allow WebFetch(domain:example.com/a)', 'a host alone'],
    ['allow WebFetch(domain:exämple.com)', 'a host alone'],
    ['allow Bash(git:* push)', '`:*` at the end only'],
    ['allow Bash(git * && npm *)', 'one plain command'],
    ['allow Bash(echo * > /tmp/x)', 'one plain command'],
    ['allow Bash(echo $(*))', 'one plain command'],
    ['allow Bash(for *)', 'one plain command'],
    ['allow Bash(watch *)', 'watch runs whatever'],
    ['allow Bash(run_in_background:true)', 'the parameter run_in_background'],
    ['allow Agent(model:opus)', 'the parameter model'],
    ['allow Agent(re*)', 'the name of one agent'],
    ['allow Edit(!src/**)', 'a path without `!`'],
    ['allow Edit(src/{a,b}/**)', 'a path without braces'],
    ['allow Edit(src/**/../a)', '`..` at its beginning'],
    ['allow Edit(a[b)', '`[` to be closed'],
    ['allow Edit(/)', '`**` is everything'],
  ])('is told apart, and what was expected: %j', (text, expected) => {
    expect(() => parsePermissionRules(['allow Read', text])).toThrow(
      expect.objectContaining({
        name: 'BadPermissionRule',
        index: 1,
        message: expect.stringContaining(expected),
      }) as Error,
    )
    expect(() => parsePermissionRules([text])).toThrow(JSON.stringify(text))
    expect(() => parsePermissionRules([text])).toThrow(BadPermissionRule)
  })

  it('is no rule of the page on them', () => {
    const page = readFileSync(new URL('../../docs/rules.md', import.meta.url), 'utf8')
    const rows = page.split('\n').filter(line => line.startsWith('| `'))
    const rules = rows.flatMap(row => [...row.split('|')[1]!.matchAll(/`([^`]+)`/g)].map(([, rule]) => `allow ${rule}`))
    expect(rules.length).toBeGreaterThan(15)
    expect(parsePermissionRules(rules)).toHaveLength(rules.length)
  })

  it('is not what Claude Code suggests', () => {
    const suggested = [
      'allow Bash(npm run test:*)',
      'allow Read(//tmp/**)',
      'allow WebFetch(domain:a.b)',
      'deny Bash(for *)',
    ]
    expect(parsePermissionRules(suggested).map(rule => rule.text)).toEqual(suggested)
  })
})
