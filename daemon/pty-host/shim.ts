/**
 * What really runs in the PTY: a shell that starts the command, says in the stream how it ended, and stays until it is
 * killed. On Linux, libuv takes a partial read of a PTY whose last process has gone for the end of the file and drops
 * what was still unread; with the shim holding the PTY open that never happens, and the stream is complete when the
 * exit record has been read.
 */
export interface ShimOptions {
  /** `<directory>/<id>`: the shim makes the FIFOs `.in` and `.stderr`, reads the real path of the directory from `.pid` and writes the command's pid there. Absolute. */
  files: string
  nonce: string
  command: readonly [string, ...string[]]
  /** Any POSIX shell. */
  shell?: string
}

/** The command line that runs `command` under the shim. Nothing of it passes through shell quoting. */
export function shimCommandLine({ files, nonce, command, shell = '/bin/sh' }: ShimOptions): [string, ...string[]] {
  return [shell, '-c', shim, shell, files, nonce, ...command]
}

/**
 * What the shim prints after the last byte of the command: status is the shell's, the exit code or 128 + signal.
 */
export function exitRecord(nonce: string, status: number): string {
  return `\x1e${nonce} ${status}\n`
}

// Why it is as it is, line by line:
// - PATH: the command's own may lead anywhere or nowhere, and the shim needs three tools of the system.
// - the directory: whoever asked for it has looked where it leads. If a link took its place since, the shell is elsewhere
//   now, and stops before the command. The pid file holds the path until there is a pid: in the command line others could
//   read it. The dots keep newlines at the end of the path.
// - stderr: so far an error goes into the terminal, where it says why there was no start. From here on the shell would
//   write "Killed" into the command's output.
// - `trap :`, not `trap ''`: the shim survives what is sent to its process group, while the command starts with the
//   default dispositions; an ignored signal would stay ignored in it. A foreground command is waited for until it is
//   really over, in dash and in bash, however often a trap runs meanwhile.
// - the inner shell opens the FIFOs, so that the shim has no descriptor of them: it would hide that the command reads or
//   writes no more. The input comes last: whoever gets its other end open knows that the pid file is written.
// - no variables: they would be the command's as well if its environment happened to have them.
// - hang-up is not among them: when the terminal's owner dies, the kernel tells the leader of the session alone, and
//   the others only when that has ended.
// - before the record they are ignored for good, also by the `sleep` that takes the shim's place. Without a terminal
//   there is no record to print and nothing to stay for.
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
