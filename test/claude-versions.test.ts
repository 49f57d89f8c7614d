import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
// @ts-expect-error a script without types
import { readArguments } from './claude/arguments.mjs'
import { tempDir } from './support/temp-dir.ts'

const install = new URL('./claude/install.mjs', import.meta.url).href

describe('npm run test:claude -- --claude-version', () => {
  it.each([
    [['--claude-version', '2.1.197', 'cancel'], { version: '2.1.197', rest: ['cancel'] }],
    [['-t', 'x', '--claude-version=2.1.139'], { version: '2.1.139', rest: ['-t', 'x'] }],
    [['--version'], { version: undefined, rest: ['--version'] }],
  ])('reads %j', (given, read) => expect(readArguments(given)).toEqual(read))

  it.each([[['--claude-version']], [['--claude-version', 'latest']], [['--claude-version=']]])('rejects %j', given => {
    expect(() => readArguments(given)).toThrow('expected a version like 2.1.197')
  })
})

/** A directory like that of an installed Claude Code, which only tells its version. */
function installed(directory: string, version: string): void {
  const at = join(directory, `node_modules/@anthropic-ai/claude-code-${process.platform}-${process.arch}`)
  mkdirSync(at, { recursive: true })
  writeFileSync(join(at, 'claude'), `#!/bin/sh\necho '${version} (Claude Code)'\n`)
  chmodSync(join(at, 'claude'), 0o755)
}

async function choose(wanted: string | undefined, env: Record<string, string>): Promise<string> {
  const script = `import { installClaude } from ${JSON.stringify(install)}
    installClaude(${JSON.stringify(wanted)})`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env['PATH']!, HOME: tempDir(), npm_config_cache: tempDir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', text => (output += text))
  await once(child, 'close')
  return output
}

/** A registry that knows one version, the latest. */
async function registryWith(latest: string): Promise<string> {
  const server = createServer((_request, response) => {
    const name = '@anthropic-ai/claude-code'
    const versions = { [latest]: { name, version: latest, dist: { tarball: 'http://127.0.0.1:1/none' } } }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ name, 'dist-tags': { latest }, versions }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close().closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe('the version of Claude Code that the suite runs', () => {
  const cacheWith = (...versions: string[]) => {
    const cache = tempDir()
    for (const version of versions) installed(join(cache, 'muxd-test-claude', version), version)
    return cache
  }

  it('is the latest of the registry, not the newest that is installed', async () => {
    const env = {
      XDG_CACHE_HOME: cacheWith('2.1.9', '2.1.10', '2.1.11'),
      npm_config_registry: await registryWith('2.1.10'),
    }
    expect(await choose(undefined, env)).toContain('Claude Code: 2.1.10,')
  })

  it('is the newest that is installed when no registry answers, and a notice says so', async () => {
    const env = { XDG_CACHE_HOME: cacheWith('2.1.9', '2.1.10'), npm_config_registry: 'http://127.0.0.1:1/' }
    const output = await choose(undefined, env)
    expect(output).toContain('the newest that is installed is 2.1.10')
    expect(output).toContain('Claude Code: 2.1.10,')
  })

  it('is the requested one, and a different one in MUXD_TEST_CLAUDE_DIR is rejected', async () => {
    expect(await choose('2.1.9', { XDG_CACHE_HOME: cacheWith('2.1.9', '2.1.10') })).toContain('Claude Code: 2.1.9,')
    const directory = tempDir()
    installed(directory, '2.1.9')
    expect(await choose(undefined, { MUXD_TEST_CLAUDE_DIR: directory })).toContain('Claude Code: 2.1.9,')
    const refused = await choose('2.1.10', { MUXD_TEST_CLAUDE_DIR: directory })
    expect(refused).toContain(`Claude Code in ${directory} is 2.1.9, expected 2.1.10`)
  })
})
