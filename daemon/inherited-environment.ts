/**
 * Returns the part of the daemon's environment that may be inherited: all variables, or those that `allow` names.
 * `ANTHROPIC_*` names all variables with that prefix. The variables of the simulator are always inherited.
 */
export function inheritable(daemon: NodeJS.ProcessEnv, allow: readonly string[] | undefined): NodeJS.ProcessEnv {
  if (allow === undefined) return daemon
  const isAllowed = (name: string) =>
    isSimulators(name) || allow.some(each => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each))
  return Object.fromEntries(Object.entries(daemon).filter(([name]) => isAllowed(name)))
}

/** Whether muxd marks or configures processes with this variable. No agent inherits it. */
export const isMuxds = (name: string): boolean => name.startsWith('MUXD_') && !isSimulators(name)

const isSimulators = (name: string) => name.startsWith('MUXD_SIMULATOR_')
