// Loaded into a real daemon (NODE_OPTIONS=--require): from when the file of FAIL_SYNC is there, the disk refuses to sync.
const fs = require('node:fs')
const { syncBuiltinESMExports } = require('node:module')

const { fdatasync } = fs
fs.fdatasync = (descriptor, callback) => {
  if (!fs.existsSync(process.env.FAIL_SYNC)) return fdatasync(descriptor, callback)
  setImmediate(callback, Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' }))
}
syncBuiltinESMExports()
