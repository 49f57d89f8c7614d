/**
 * The shim is the shell that runs in the PTY. It starts the command, prints an exit record when the command has ended,
 * and stays until it is killed. On Linux, libuv treats a partial read of a PTY whose last process has gone as the end
 * of the file and drops the unread rest. The shim holds the PTY open, so the stream is complete when the exit record
 * has been read.
 */
export interface ShimOptions {
  /**
   * The absolute path `<directory>/<id>`. The shim creates the FIFOs `.in` and `.stderr`, reads the real path of the
   * working directory from `.pid`, and writes the command's pid there.
   */
  files: string
  nonce: string
  command: readonly [string, ...string[]]
  /** Any POSIX shell. */
  shell?: string
}

/** Returns the command line that runs `command` under the shim. The arguments need no shell quoting. */
export function shimCommandLine({ files, nonce, command, shell = '/bin/sh' }: ShimOptions): [string, ...string[]] {
  return [shell, '-c', shim, shell, files, nonce, ...command]
}

/** Returns the exit record, printed after the command's output. `status` is the exit code, or 128 + signal. */
export function exitRecord(nonce: string, status: number): string {
  return `\x1e${nonce} ${status}\n`
}

// Reasons, in the order of the lines:
// - PATH: the command's PATH may lead anywhere or nowhere, and the shim needs stty, mkfifo, cat and sleep.
// - Directory: the caller has resolved it. If a link has replaced it since, the shell is in another directory now and
//   stops before the command. The pid file holds the path until there is a pid; on the command line, other users could
//   read it. The dots preserve newlines at the end of the path.
// - stderr: up to this line, errors go to the terminal, where they explain a failed start. After it, the shell would
//   write "Killed" into the command's output.
// - `trap :`, not `trap ''`: the shim survives signals to its process group, and the command starts with the default
//   dispositions; it would inherit an ignored signal. dash and bash wait for a foreground command until it has ended,
//   however often a trap runs meanwhile.
// - The inner shell opens the FIFOs, so that the shim has no descriptor of them, which would hide that the command has
//   closed its end. It opens the input last: when the pty-host's open of the input succeeds, the pid file is written.
// - The script sets no variables: a variable that the environment contains would change for the command too.
// - The traps exclude HUP: when the terminal's owner dies, the kernel signals only the session leader, and the other
//   processes after that has ended.
// - Before the record, the signals are ignored for good, also by the `sleep` that replaces the shim. If the record
//   cannot be printed because the terminal is gone, the shim ends.
const shim = `
PATH=/usr/bin:/bin:$PATH stty raw -echo && PATH=/usr/bin:/bin:$PATH mkfifo -m 600 "$1.stderr" "$1.in" || exit
[ "$(pwd -P; echo .)" = "$(PATH=/usr/bin:/bin:$PATH cat "$1.pid"; echo .)" ] || { echo "the directory $(PATH=/usr/bin:/bin:$PATH cat "$1.pid") leads to $(pwd -P) now"; exit; }
exec 2>/dev/null
trap : INT QUIT TERM
"$0" -c 'echo $$ >"$0.pid"; shift; exec "$@" 2>"$0.stderr" <"$0.in"' "$@"
set -- "$2" $?
trap '' INT QUIT TERM
printf '\\036%s %s\\n' "$1" "$2" && PATH=/usr/bin:/bin:$PATH exec sleep 2000000000
`
