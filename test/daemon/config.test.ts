import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BadConfig, readConfig } from '../../daemon/config.ts'

let home: string
beforeEach(() => void (home = mkdtempSync(join(tmpdir(), 'muxd-config-'))))
afterEach(() => rmSync(home, { recursive: true }))

const read = (argv: string[] = [], environment: NodeJS.ProcessEnv = {}) =>
  readConfig(argv, { MUXD_HOME: home, ...environment })
const file = (content: string) => writeFileSync(join(home, 'config.json'), content)

describe('the configuration', () => {
  it('has defaults for everything', () => {
    expect(read()).toMatchObject({
      home,
      port: 7433,
      host: '127.0.0.1',
      maxRuns: 8,
      idleCloseMs: 300_000,
      allowRoots: [],
    })
  })

  it('prefers options over the environment, and the environment over the file', () => {
    file('{"maxRuns":2,"claudeBin":"/from/file","port":1}')
    expect(read()).toMatchObject({ maxRuns: 2, claudeBin: '/from/file', port: 1 })
    expect(read([], { MUXD_CLAUDE_BIN: '/from/env' }).claudeBin).toBe('/from/env')
    const options = ['--claude-bin', '/from/option', '--max-runs', '3', '--port=0']
    expect(read(options, { MUXD_CLAUDE_BIN: '/from/env' })).toMatchObject({
      claudeBin: '/from/option',
      maxRuns: 3,
      port: 0,
    })
  })

  it('can use the simulator, unless an option or the environment names Claude Code', () => {
    file('{"simulate":true}')
    expect(read()).toMatchObject({ simulate: true, environment: { CLAUDE_CONFIG_DIR: join(home, 'simulator') } })
    expect(read().claudeBin).toMatch(/simulator\.js$/)
    expect(read([], { MUXD_CLAUDE_BIN: '/real' })).toMatchObject({ simulate: false, claudeBin: '/real' })
    expect(read(['--claude-bin', '/real'])).toMatchObject({ simulate: false, claudeBin: '/real' })
  })

  it('accepts durations such as 1m30s in options', () => {
    expect(read(['--idle-close', '1m30s']).idleCloseMs).toBe(90_000)
    expect(read(['--idle-close', '0']).idleCloseMs).toBe(0)
    expect(read(['--idle-close-ms', '50']).idleCloseMs).toBe(50)
  })

  it('finds its home by option, MUXD_HOME, XDG_STATE_HOME, HOME', () => {
    expect(readConfig(['--home', home], { MUXD_HOME: '/elsewhere' }).home).toBe(home)
    expect(readConfig([], { XDG_STATE_HOME: home }).home).toBe(join(home, 'muxd'))
    expect(readConfig([], {}).home).toMatch(/\/\.local\/state\/muxd$/)
  })

  it('makes allowed roots absolute and takes several', () => {
    expect(read(['--allow-root', 'a', '--allow-root', '/b']).allowRoots).toEqual([join(process.cwd(), 'a'), '/b'])
  })

  it('returns args that produce the same configuration from any directory', () => {
    const given = [
      '--port',
      '1',
      '--max-runs=3',
      '--allow-root',
      'a',
      '--allow-root',
      '/b',
      '--claude-bin',
      'bin/claude',
    ]
    const { args, ...config } = read([...given, '--log-to', 'file'], { MUXD_CLAUDE_BIN: '/ignored' })
    expect(read(['--port', '1', '--log-to', 'file', ...args])).toMatchObject({
      ...config,
      claudeBin: join(process.cwd(), 'bin/claude'),
      environment: {},
    })
    expect(read([], { MUXD_CLAUDE_BIN: 'claude-next' }).args).toEqual(['--claude-bin', 'claude-next'])
    expect(read(['--simulate'], { MUXD_CLAUDE_BIN: '/ignored' }).args).toEqual(['--simulate'])
    expect(read().args).toEqual([])
  })

  it.each([
    [['--port', 'http'], /port is "http"/],
    [['--port', '70000'], /port is 70000/],
    [['--host', '0.0.0.0'], /host is "0.0.0.0"/],
    [['--max-runs', '0'], /maxRuns is 0/],
    [['--idle-close', 'soon'], /idleCloseMs is "soon"/],
    [['--idle-close-ms', '-1'], /idle-close-ms|ambiguous/],
    [['--log-level', 'loud'], /logLevel is "loud"/],
    [['--nonsense'], /--nonsense/],
    [['word'], /word/],
  ])('refuses %j with a message that names it', (argv, message) => {
    expect(() => read(argv)).toThrow(BadConfig)
    expect(() => read(argv)).toThrow(message)
  })

  it.each([
    ['{', /config\.json cannot be read/],
    ['[]', /expected an object/],
    ['{"maxRun":3}', /maxRun/],
    ['{"allowRoots":"/x"}', /allowRoots is "\/x"/],
    ['{"allowEnvironment":["A*B"]}', /allowEnvironment\/0 is "A\*B"/],
    ['{"allowEnvironment":[""]}', /allowEnvironment\/0 is ""/],
  ])('refuses the file %s', (content, message) => {
    file(content)
    expect(() => read()).toThrow(BadConfig)
    expect(() => read()).toThrow(message)
  })

  it.each([
    ['{"prot":1}', 'unknown key "prot", did you mean "port"?'],
    ['{"allowroots":[]}', 'unknown key "allowroots", did you mean "allowRoots"?'],
    ['{"maxRusn":3}', 'unknown key "maxRusn", did you mean "maxRuns"?'],
    ['{"somethingElse":3}', 'unknown key "somethingElse"'],
    ['{"__proto__":{}}', 'unknown key "__proto__"'],
    [
      '{"notifications":[{"on":["done"],"comand":["true"]}]}',
      'notifications/0 has an unknown key "comand", did you mean "command"?',
    ],
  ])('names the unknown key in %s and the key that was meant', (content, message) => {
    file(content)
    expect(() => read()).toThrow(BadConfig)
    expect(() => read()).toThrow(new BadConfig(`configuration: ${message}`))
  })

  it.each<[string, (path: string) => void]>([
    ['a directory', path => mkdirSync(path)],
    ['a link to itself', path => symlinkSync(path, path)],
    ['a link whose target is missing', path => symlinkSync('nowhere', path)],
    ['an empty file', path => writeFileSync(path, '')],
    ['null', path => writeFileSync(path, 'null')],
  ])('refuses a file that exists and cannot be read: %s', (_, make) => {
    make(join(home, 'config.json'))
    expect(() => read()).toThrow(BadConfig)
    expect(() => read()).toThrow(`${join(home, 'config.json')} cannot be read: `)
  })

  it('takes rawLogs "compress" of an earlier version as "drop", with one warning', () => {
    file('{"rawLogs":"compress"}')
    expect(read()).toMatchObject({ rawLogs: 'drop', warnings: [expect.stringContaining('now means "drop"')] })
    file('{"rawLogs":"keep"}')
    expect(read()).toMatchObject({ rawLogs: 'keep', warnings: [] })
  })

  it('treats an empty variable as not set, and refuses an empty --home', () => {
    file('{"claudeBin":"/from/file"}')
    expect(read([], { MUXD_CLAUDE_BIN: '' }).claudeBin).toBe('/from/file')
    expect(readConfig([], { MUXD_HOME: '', XDG_STATE_HOME: home }).home).toBe(join(home, 'muxd'))
    expect(() => read(['--home', ''])).toThrow(new BadConfig('--home is empty, it must name a directory'))
  })

  const on = ['done']
  it.each<[string, object]>([
    ['0 needs either a command or a url', { on }],
    ['0 needs either a command or a url', { on, command: ['true'], url: 'http://127.0.0.1/' }],
    ['0 has a url that is no http or https URL', { on, url: 'file:///etc/passwd' }],
    ['0 has a url that is no http or https URL', { on, url: 'somewhere' }],
    ['0 has a user or password in its url', { on, url: 'https://me:secret@127.0.0.1/' }],
    ['0 has headers, which are for a url', { on, command: ['true'], headers: {} }],
    ['0 has headers that cannot be sent', { on, url: 'http://127.0.0.1/', headers: { 'a b': 'c' } }],
    ['0 has a command that cannot be run', { on, command: [''] }],
    ['0/on/0', { on: ['nothing'], command: ['true'] }],
    ['0/on', { on: [], command: ['true'] }],
    ['0', { on, command: ['true'], shell: true }],
  ])('refuses a notification: %s', (problem, target) => {
    file(JSON.stringify({ notifications: [target] }))
    expect(() => read()).toThrow(BadConfig)
    expect(() => read()).toThrow(`notifications/${problem}`)
  })
})

it('docs/configuration.md describes every key with its default', () => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const rows = [...page.matchAll(/^\| `(\w+)` *\| *(\S+) *\|/gm)].map(([, key, value]) => [
    key,
    value!.replaceAll('`', ''),
  ])
  const { home: _home, environment: _environment, args: _args, warnings: _warnings, ...keys } = read()
  const defaults = Object.entries(keys).map(([key, value]) => [key, JSON.stringify(value)])
  expect(Object.fromEntries(rows)).toEqual({
    claudeBin: 'none',
    allowEnvironment: 'none',
    ...Object.fromEntries(defaults),
  })
})
