import { networkInterfaces } from 'node:os'

/** Refuses to run outside a network namespace: the real Claude Code must not be able to reach anything. */
export default function onlyLoopback(): void {
  const others = Object.keys(networkInterfaces()).filter(name => name !== 'lo')
  if (others.length > 0) throw new Error(`the network is reachable (${others.join(', ')}): use npm run test:claude`)
  if (!process.env['MUXD_TEST_CLAUDE_BIN']) throw new Error('MUXD_TEST_CLAUDE_BIN is not set: use npm run test:claude')
}
