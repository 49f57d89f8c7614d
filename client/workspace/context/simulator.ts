import type { AvailableAgent, HelloResult } from '../../sdk/browser.ts'

type Available = Pick<HelloResult, 'agents'>

/** Claude Code as the daemon finds it. */
export const claudeIn = ({ agents }: Available): AvailableAgent | undefined =>
  agents.find(({ kind }) => kind === 'claude')

/** Whether the daemon runs the simulator in place of Claude Code, according to the version it reports. */
export const isSimulator = (available: Available): boolean =>
  claudeIn(available)?.version.includes('(Claude Code stand-in: muxd simulator)') ?? false
