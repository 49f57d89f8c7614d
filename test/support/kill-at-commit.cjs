// Loaded into a real daemon (NODE_OPTIONS=--require): once the file of KILL_AT_COMMIT exists, the process kills itself
// with SIGKILL at one commit from then on. The file says which: "1 inside" is when the first transaction has done its work
// and is not committed, "2 after" when the second one is committed and nothing else has happened.
const { existsSync, readFileSync } = require('node:fs')

let commits = 0

function dieAt(place) {
  if (!existsSync(process.env.KILL_AT_COMMIT)) return
  if (place === 'inside') commits++
  if (readFileSync(process.env.KILL_AT_COMMIT, 'utf8') === `${commits} ${place}`) process.kill(process.pid, 'SIGKILL')
}

const { prototype } =
  process.getBuiltinModule?.('node:sqlite')?.DatabaseSync ?? require('../../sqlite-node20/index.cjs')
const { prepare } = prototype
prototype.prepare = function (sql, ...options) {
  const statement = prepare.call(this, sql, ...options)
  if (sql !== 'COMMIT') return statement
  const { run } = statement
  statement.run = function (...params) {
    dieAt('inside')
    const result = run.apply(this, params)
    dieAt('after')
    return result
  }
  return statement
}
