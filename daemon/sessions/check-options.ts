import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ClaudeOptions } from '../../protocol/index.ts'
import { isReserved } from '../agents/claude/environment.ts'
import { inlineJson, looksInline } from '../agents/claude/inline-json.ts'
import type { Config } from '../config.ts'
import { paramName } from '../rpc/param-name.ts'
import { RpcError } from '../rpc/rpc-error.ts'
import { checkConfined, checkWorkingDirectory } from './working-directory.ts'

/**
 * Checks what a session asks Claude Code for, beyond the shape of it: names and values that could not reach the process
 * as they are, places outside the allowed roots where there are any, and what needs the configuration's leave. Answers
 * the options to be kept: directories are resolved. `pointer` is where they stand in the call's params. Throws `RpcError`.
 */
export function checkOptions(options: ClaudeOptions, cwd: string, pointer: string, config: Config): ClaudeOptions {
  checkStrings(options, pointer)
  for (const name of Object.keys(options.env ?? {})) {
    if (!isReserved(name)) continue
    throw invalid(
      `${pointer}/env/${name}`,
      'a name that is not reserved',
      `${name} is muxd's or Claude Code's own to set`,
    )
  }
  checkBypass(options.settings, cwd, pointer, config)
  if (config.allowRoots.length === 0) return options
  const { mcpConfig = [], settings } = options
  const files = [
    ...mcpConfig.map((value, index) => [`${pointer}/mcpConfig/${index}`, value] as const),
    ...(settings === undefined ? [] : [[`${pointer}/settings`, settings] as const]),
  ]
  for (const [at, value] of files) {
    if (!looksInline(value)) checkConfined(resolve(cwd, value), config.allowRoots, at)
  }
  if (options.addDirs === undefined) return options
  const addDirs = options.addDirs.map((directory, index) =>
    checkWorkingDirectory(resolve(cwd, directory), config.allowRoots, `${pointer}/addDirs/${index}`),
  )
  return { ...options, addDirs }
}

/** Arguments and variables end at a NUL: what is behind it would be lost in silence. */
function checkStrings(value: unknown, pointer: string) {
  if (typeof value === 'string' && value.includes('\0')) {
    throw invalid(pointer, 'no NUL character', 'a NUL character would end it')
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, each] of Object.entries(value)) checkStrings(each, `${pointer}/${name}`)
}

/** To ask for it in settings is to ask for it. What else decides in settings of the user and of the project is Claude Code's affair. */
function checkBypass(settings: string | undefined, cwd: string, pointer: string, config: Config) {
  if (settings === undefined || config.allowBypassPermissions) return
  const { permissions } = (inlineJson(settings) ?? fileJson(resolve(cwd, settings)) ?? {}) as Settings
  if (permissions?.defaultMode !== 'bypassPermissions') return
  throw new RpcError(
    'forbidden',
    `${paramName(`${pointer}/settings`)}: defaultMode bypassPermissions needs "allowBypassPermissions": true in config.json`,
  )
}

interface Settings {
  permissions?: { defaultMode?: unknown } | null
}

function fileJson(path: string): object | undefined {
  let file: number | undefined
  try {
    // Whatever is there must not keep us waiting.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const facts = fstatSync(file)
    if (!facts.isFile() || facts.size > maxSettingsBytes) return undefined
    const bytes = Buffer.alloc(facts.size)
    return inlineJson(bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0)))
  } catch {
    // Claude Code says what is wrong with it, in its own words.
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

const maxSettingsBytes = 1024 * 1024

const invalid = (path: string, expected: string, problem: string) =>
  new RpcError('invalid_params', `${paramName(path)}: ${problem}`, { path, expected })
