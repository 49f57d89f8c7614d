import { loadDaemonCode } from './daemon-code.ts'
import { oneLine } from '../screen/text.ts'

export type ConfigLook = { claudeBin?: string | undefined } | { problem: string }

/**
 * Returns the configuration of a daemon with these options, or the problem with it. Uses the daemon's own code, so both
 * accept the same.
 */
export async function lookAtConfig(home: string, args: readonly string[] = []): Promise<ConfigLook> {
  try {
    const { lookAtConfig: look } = await loadDaemonCode()
    return look(['--home', home, ...args])
  } catch (error) {
    return { problem: oneLine((error as Error).message) }
  }
}
