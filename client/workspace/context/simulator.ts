import type { HelloResult } from '../../sdk/browser.ts'

/** Whether the daemon runs the simulator in place of Claude Code, according to the version it reports. */
export const isSimulator = ({ claude }: Pick<HelloResult, 'claude'>): boolean =>
  claude !== null && claude.version.includes('(Claude Code stand-in: muxd simulator)')
