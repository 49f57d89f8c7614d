import type { HelloResult } from '../../sdk/browser.ts'

/** Whether the daemon plays the simulator in place of Claude Code. It says so where Claude Code says what it is. */
export const isSimulator = ({ claude }: Pick<HelloResult, 'claude'>): boolean =>
  claude !== null && claude.version.includes('(Claude Code stand-in: muxd simulator)')
