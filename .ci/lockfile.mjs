// Makes package-lock.json independent of the registry it was made against: no download addresses, and an entry for
// every optional platform package, also those that a partial mirror does not carry (npm leaves them out, and `npm ci`
// then refuses the file). Versions stay as they are where package.json allows them. Run after a change of dependencies:
// node .ci/lockfile.mjs [sqlite-node20]
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)))
// Away from node_modules, whose own record of what is installed has no checksums.
const place = mkdtempSync(join(tmpdir(), 'lockfile-'))
copyFileSync(join(root, 'package-lock.json'), join(place, 'package-lock.json'))
const { name: packageName, workspaces = [] } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
for (const directory of ['.', ...workspaces]) {
  mkdirSync(join(place, directory), { recursive: true })
  copyFileSync(join(root, directory, 'package.json'), join(place, directory, 'package.json'))
}
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--omit-lockfile-registry-resolved=false'], {
  cwd: place,
  stdio: 'inherit',
})
const lock = JSON.parse(readFileSync(join(place, 'package-lock.json'), 'utf8'))
rmSync(place, { recursive: true })
lock.name = packageName

const systems = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  win32: 'win32',
}
const processors = {
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  x64: 'x64',
}

for (const entry of Object.values({ ...lock.packages })) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`
    const words = name.split(/[-/]/)
    const os = words.find(word => word in systems)
    const cpu = words.find(word => word in processors)
    if (path in lock.packages || !os || !cpu || !/^\d/.test(version)) continue
    lock.packages[path] = { version, cpu: [cpu], ...(entry.dev && { dev: true }), optional: true, os: [os] }
  }
}
// A link's is the directory of the workspace.
for (const entry of Object.values(lock.packages)) if (!entry.link) delete entry.resolved
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(join(root, 'package-lock.json'), `${JSON.stringify(lock, null, 2)}\n`)
