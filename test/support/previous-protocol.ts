import { execFileSync } from 'node:child_process'
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const git = (...args: string[]) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

/** Builds the last commit that spoke protocol 1 in an empty directory. Returns the directory of the build's output. */
export function buildProtocol1(directory: string): string {
  const changes = git('log', '--format=%H', '-S', 'protocolVersion = 2', '--', 'protocol/wire.ts').split('\n')
  const introduced = changes.at(-1)
  if (!introduced) {
    throw new Error('the history of protocol/wire.ts is needed to build protocol 1: git fetch --unshallow')
  }
  const archive = execFileSync('git', ['archive', `${introduced}^`], { cwd: root, maxBuffer: 2 ** 30 })
  execFileSync('tar', ['-x', '-C', directory], { input: archive })
  for (const name of ['node_modules', 'sqlite-node20/node_modules']) {
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(directory, name))
  }
  execFileSync(process.execPath, ['esbuild.config.mjs'], { cwd: directory, stdio: 'pipe' })
  return join(directory, 'dist')
}
