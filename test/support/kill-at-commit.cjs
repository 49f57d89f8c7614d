// Loaded into a real daemon (NODE_OPTIONS=--require): once the file of KILL_AT_COMMIT is there, it kills the process with
// SIGKILL at a certain commit from then on. The file says at which: "1 inside" is when the first transaction has done
// its work and is not committed, "2 after" when the second one is committed and nothing else has happened.
const { existsSync, readFileSync } = require('node:fs')
const Database = require('better-sqlite3')

const { transaction } = Database.prototype
let commits = 0
let depth = 0

function dieAt(place) {
  if (depth > 1 || !existsSync(process.env.KILL_AT_COMMIT)) return
  if (place === 'inside') commits++
  if (readFileSync(process.env.KILL_AT_COMMIT, 'utf8') === `${commits} ${place}`) process.kill(process.pid, 'SIGKILL')
}

Database.prototype.transaction = function (work) {
  const { immediate } = transaction.call(this, (...args) => {
    const result = work(...args)
    dieAt('inside')
    return result
  })
  return {
    immediate(...args) {
      depth++
      try {
        const result = immediate.apply(this, args)
        dieAt('after')
        return result
      } finally {
        depth--
      }
    },
  }
}
