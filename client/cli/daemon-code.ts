import { daemonProgram } from './background.ts'

/** The daemon's own code answers what `muxd doctor` asks, so that both decide alike. */
interface DaemonCode {
  /** What a daemon with these options would be configured with. */
  lookAtConfig(argv: string[]): { claudeBin?: string | undefined } | { problem: string }
  lookAtSqlite(): { engine: string } | { problem: string }
  databaseProblem(file: string): { code: string; message: string } | undefined
}

export const loadDaemonCode = async (): Promise<DaemonCode> => (await import(daemonProgram().href)) as DaemonCode
