import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ClaudeOptions } from '../../../../protocol/index.ts'
import { OptionRefused, type OptionPlaces } from '../../agent.ts'
import { isReserved } from './environment.ts'
import { inlineJson, looksInline } from './inline-json.ts'

/**
 * Checks names of variables, bypassed permissions in settings, and the places that the options name. Returns the
 * options, with resolved `addDirs` if sessions are confined.
 */
export function checkOptions(options: ClaudeOptions, cwd: string, places: OptionPlaces): ClaudeOptions {
  for (const name of Object.keys(options.env ?? {})) {
    if (!isReserved(name)) continue
    throw new OptionRefused(
      `/env/${name}`,
      `${name} is muxd's or Claude Code's own to set`,
      'a name that is not reserved',
    )
  }
  if (!places.allowBypassPermissions) checkBypass(options.settings, cwd)
  if (!places.isConfined) return options
  const { mcpConfig = [], settings } = options
  const files = [
    ...mcpConfig.map((value, index) => [`/mcpConfig/${index}`, value] as const),
    ...(settings === undefined ? [] : [['/settings', settings] as const]),
  ]
  for (const [at, value] of files) {
    if (!looksInline(value)) places.checkFile(resolve(cwd, value), at)
  }
  if (options.addDirs === undefined) return options
  const addDirs = options.addDirs.map((directory, index) =>
    places.checkDirectory(resolve(cwd, directory), `/addDirs/${index}`),
  )
  return { ...options, addDirs }
}

/**
 * Throws if the settings of a session request `bypassPermissions`. The settings of the user and of the project are not
 * checked, because only Claude Code reads them.
 */
function checkBypass(settings: string | undefined, cwd: string) {
  if (settings === undefined) return
  const { permissions } = (inlineJson(settings) ?? fileJson(resolve(cwd, settings)) ?? {}) as Settings
  if (permissions?.defaultMode !== 'bypassPermissions') return
  throw new OptionRefused(
    '/settings',
    'defaultMode bypassPermissions needs "allowBypassPermissions": true in config.json',
  )
}

interface Settings {
  permissions?: { defaultMode?: unknown } | null
}

function fileJson(path: string): object | undefined {
  let file: number | undefined
  try {
    // A FIFO must not block the daemon.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    const facts = fstatSync(file)
    if (!facts.isFile() || facts.size > maxSettingsBytes) return undefined
    const bytes = Buffer.alloc(facts.size)
    return inlineJson(bytes.toString('utf8', 0, readSync(file, bytes, 0, bytes.length, 0)))
  } catch {
    // Claude Code reports the problem of the file.
    return undefined
  } finally {
    if (file !== undefined) closeSync(file)
  }
}

const maxSettingsBytes = 1024 * 1024
