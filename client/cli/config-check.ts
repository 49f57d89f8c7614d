import { loadDaemonCode } from './daemon-code.ts'
import { oneLine } from './render/text.ts'

export type ConfigLook = { claudeBin?: string | undefined } | { problem: string }

/** What a daemon with these options would be configured with. Read by the daemon's own code, which accepts the same. */
export async function lookAtConfig(home: string, args: readonly string[] = []): Promise<ConfigLook> {
  try {
    const { lookAtConfig: look } = await loadDaemonCode()
    return look(['--home', home, ...args])
  } catch (error) {
    return { problem: oneLine((error as Error).message) }
  }
}
