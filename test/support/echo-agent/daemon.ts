import { productAgents, startDaemon } from '../../../daemon/compose.ts'
import { readConfig } from '../../../daemon/config.ts'
import { inheritable } from '../../../daemon/inherited-environment.ts'
import { createLog } from '../../../daemon/log/log.ts'
import { createEchoAgent } from './echo-agent.ts'

// A daemon that has the agents of muxd and the echo agent. `ECHO_AGENT` is the path of its script.

const config = readConfig(process.argv.slice(2), process.env)
const echo = createEchoAgent(process.env['ECHO_AGENT']!, inheritable(config.environment, config.allowEnvironment))
const daemon = await startDaemon(config, createLog(config.logLevel, 'json'), given => [...productAgents(given), echo])
process.on('SIGTERM', () => void daemon.close('SIGTERM received'))
await daemon.closed
