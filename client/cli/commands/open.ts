import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { homeDirectory } from '../../sdk/index.ts'
import { acting, command } from '../command/command.ts'
import { type ExitCode, exitCodes } from '../errors/exit.ts'
import { print, printJson, say } from '../screen/output.ts'
import { type CommonOptions, withMux } from '../command/with-mux.ts'

export interface OpenOptions extends CommonOptions {
  observe?: true
  print?: true
}

export function declareOpen(program: Command): void {
  command(program, 'open', 'open the workspace in a browser')
    .option('--observe', 'a link that can only watch')
    .option('--print', 'print the link instead')
    .action(acting(open))
}

/** `muxd open`: opens the workspace in a browser with a link that works once. */
async function open(options: OpenOptions): Promise<ExitCode> {
  return withMux(options, { mayStart: true }, async (mux, signal) => {
    const link = await mux.api.token.link({ role: options.observe ? 'observe' : 'control' }, { signal })
    if (options.json) await printJson(link)
    else if (options.print || !(await showInBrowser(link.url, homeDirectory(options.home)))) {
      say('for one browser, within ten minutes:')
      await print(link.url)
    } else say('opened in your browser; muxd open --print shows a link instead')
    return exitCodes.done
  })
}

/**
 * Opens the link through a file that only its owner can read, because all users of the machine can read a browser's
 * arguments. Resolves with false if there is no browser.
 */
async function showInBrowser(url: string, home: string): Promise<boolean> {
  const opener = browserOpener()
  if (opener === undefined) return false
  const page = join(home, 'open.html')
  await writeFile(page, `<!doctype html><meta http-equiv="refresh" content="0;url=${url}">\n`, { mode: 0o600 })
  const child = spawn(opener, [page], { stdio: 'ignore', detached: true })
  child.unref()
  try {
    await once(child, 'spawn')
    return true
  } catch {
    return false
  }
}

function browserOpener(): string | undefined {
  if (process.platform === 'darwin') return 'open'
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  return DISPLAY || WAYLAND_DISPLAY ? 'xdg-open' : undefined
}
