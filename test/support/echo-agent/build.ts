import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { copyOfBuild } from '../changed-build.ts'

/** The script of the echo agent, and a daemon that has it beside muxd's own agents. */
export const echoScript = fileURLToPath(new URL('echo-agent.sh', import.meta.url))

/** Builds that daemon in a copy of the build, in `directory`. Returns the path of its program. */
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
