import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { copyOfBuild } from '../changed-build.ts'

/** The path of the echo agent's script. */
export const echoScript = fileURLToPath(new URL('echo-agent.sh', import.meta.url))

/**
 * Builds a daemon that has muxd's agents and the echo agent in a copy of the build. Returns the path of its program.
 */
export async function buildEchoDaemon(directory: string): Promise<string> {
  const program = copyOfBuild(directory)
  await build({
    entryPoints: [fileURLToPath(new URL('daemon.ts', import.meta.url))],
    outfile: program,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
    external: ['node-pty'],
    banner: {
      js: "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);",
    },
  })
  return program
}
