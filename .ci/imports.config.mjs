/**
 * Which folder may import what. `npm run check:imports` compares this table with the files.
 *
 * - `'folder': [...]` is for the files in this folder, without its subfolders. A folder may always import itself.
 * - `'folder/**': [...]` is for a folder and everything below it that has no entry of its own.
 * - `'folder/file.ts': [...]` is for one file, in place of the entry of its folder.
 * - A list names folders, packages (`npm:NAME`), and `node:` for the modules of Node. `folder/**` and `npm:*` work there too.
 *
 * Type imports count like any other. Every folder with source files needs an entry, and a list names only what it needs:
 * remove a name together with the last import. Imports go one way. The tool also finds circles of files and of folders;
 * there a subfolder counts as a part of its folder.
 */
export const allowed = {
  // The protocol runs in Node and in browsers, and is the only thing that the daemon and its clients share.
  protocol: ['npm:typebox'],

  // ---- The daemon. It never imports client/. ----

  // Starts a daemon: it puts the parts together, so it knows them all.
  'daemon/compose.ts': [
    '.', // package.json, for the version
    'protocol',
    'daemon/agents',
    'daemon/agents/claude', // no other file names an agent
    'daemon/home',
    'daemon/log',
    'daemon/notify',
    'daemon/os',
    'daemon/pty-host',
    'daemon/retention',
    'daemon/rpc',
    'daemon/server',
    'daemon/sessions',
    'daemon/sessions/conversation-lock',
    'daemon/sessions/scheduling',
    'daemon/store',
    'daemon/store/disk',
    'daemon/store/journal',
    'daemon/tokens',
    'daemon/topics',
    'daemon/topics/delivery',
    'daemon/usage',
    'daemon/workspaces',
    'node:',
    'npm:nanoid',
  ],
  'daemon/agent-table.ts': ['protocol', 'daemon/agents'],
  // Ends the parts in order.
  'daemon/shutdown.ts': [
    'protocol',
    'daemon/home',
    'daemon/log',
    'daemon/pty-host',
    'daemon/server',
    'daemon/sessions',
    'daemon/sessions/conversation-lock',
    'daemon/sessions/recovery',
    'daemon/store/journal',
    'daemon/topics/delivery',
  ],
  // `daemon.status` asks every part for its state.
  'daemon/status.ts': [
    'protocol',
    'daemon/home',
    'daemon/notify',
    'daemon/pty-host',
    'daemon/retention',
    'daemon/rpc',
    'daemon/server',
    'daemon/sessions',
    'daemon/store',
    'node:',
  ],
  // The rest: the program's entry, its configuration, and small files that every part may use.
  daemon: [
    'protocol',
    'daemon/home',
    'daemon/log',
    'daemon/notify', // the schema of a target is a part of the configuration
    'daemon/os',
    'daemon/pty-host',
    'daemon/store',
    'daemon/store/sqlite', // `muxd doctor` names the engine
    'node:',
    'npm:nanoid',
    'npm:typebox',
  ],
  'daemon/os': ['node:'],
  'daemon/log': ['node:'],
  'daemon/home': [
    'protocol',
    'daemon/os',
    'daemon/store/sqlite', // file-lock.ts: a lock that the system releases when its process ends
    'node:',
  ],
  'daemon/pty-host': [
    '.', // package.json, for the version
    'protocol',
    'daemon', // hook-points.ts
    'daemon/home',
    'daemon/log',
    'daemon/os',
    'daemon/store/sqlite', // file-lock.ts
    'node:',
    'npm:node-pty', // nowhere else: it has native parts
  ],
  // The interface of an agent, nothing else: `agent.ts`.
  'daemon/agents': [
    'protocol',
    'daemon/pty-host', // output.ts: how lines are read
  ],
  // One parse of each line. In order: the agent, translate (events), facts (what single frames tell), frame (the JSON).
  // Beside them: how a process starts, permission rules, and the conversations that Claude Code stores.
  'daemon/agents/claude': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/agents',
    'daemon/agents/claude/conversations',
    'daemon/agents/claude/facts',
    'daemon/agents/claude/frame',
    'daemon/agents/claude/launch',
    'daemon/agents/claude/permissions',
    'daemon/agents/claude/translate',
  ],
  'daemon/agents/claude/translate': [
    'protocol',
    'daemon', // keep-newest.ts
    'daemon/agents',
    'daemon/agents/claude/facts',
    'daemon/agents/claude/frame',
    'daemon/log',
    'daemon/usage',
  ],
  'daemon/agents/claude/facts': ['protocol', 'daemon/agents', 'daemon/agents/claude/frame', 'daemon/log'],
  'daemon/agents/claude/frame': ['protocol', 'daemon/agents', 'daemon/log'],
  'daemon/agents/claude/launch': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/agents',
    'node:',
  ],
  'daemon/agents/claude/permissions': ['node:'],
  'daemon/agents/claude/conversations': ['daemon/agents', 'daemon/agents/claude/frame', 'daemon/os', 'node:'],
  // Opening a store puts its rooms together; the interface names the tables in them.
  'daemon/store': [
    'daemon/log',
    'daemon/store/disk',
    'daemon/store/log',
    'daemon/store/records',
    'daemon/store/sqlite',
    'node:',
  ],
  'daemon/store/journal': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/store',
  ],
  'daemon/store/records': ['protocol', 'daemon/store/log', 'daemon/store/sqlite', 'node:'],
  'daemon/store/log': ['protocol', 'daemon/store/sqlite', 'npm:nanoid'],
  'daemon/store/disk': [
    'daemon', // hook-points.ts
    'daemon/os',
    'daemon/store/sqlite',
    'node:',
  ],
  'daemon/store/sqlite': [
    'daemon/os',
    'node:',
    'npm:better-sqlite3', // nowhere else: it has native parts
  ],
  'daemon/sessions': [
    'protocol',
    'daemon', // config.ts, hook-points.ts
    'daemon/agents',
    'daemon/home',
    'daemon/log',
    'daemon/os',
    'daemon/pty-host',
    'daemon/rpc',
    'daemon/sessions/conversation-lock',
    'daemon/sessions/effects',
    'daemon/sessions/interpreter',
    'daemon/sessions/launch',
    'daemon/sessions/machine/decide',
    'daemon/sessions/machine/fold',
    'daemon/sessions/recovery',
    'daemon/sessions/scheduling',
    'daemon/store',
    'daemon/store/journal',
  ],
  // Pure: no clock, no I/O, nothing random, and no agent by name. `step` decides, and the fold applies.
  'daemon/sessions/machine': [
    'protocol',
    'daemon/agents',
    'daemon/sessions/machine/decide',
    'daemon/sessions/machine/fold',
    'node:', // hashes
  ],
  // The decisions of a step. They change the volatile half of the state, and the durable half by acts.
  'daemon/sessions/machine/decide': [
    'protocol',
    'daemon/agents',
    'daemon/sessions/machine',
    'daemon/sessions/machine/fold',
  ],
  // The durable half of the state and everything that changes it. Recovery repeats it.
  'daemon/sessions/machine/fold': [
    'protocol',
    'daemon', // keep-newest.ts
    'daemon/agents',
    'daemon/usage',
    'node:', // hashes
  ],
  // Takes the inputs of a session, stores what its machine gives, and restores it.
  'daemon/sessions/interpreter': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/agents',
    'daemon/log',
    'daemon/os',
    'daemon/rpc',
    'daemon/sessions',
    'daemon/sessions/conversation-lock',
    'daemon/sessions/effects',
    'daemon/sessions/machine',
    'daemon/sessions/machine/decide',
    'daemon/sessions/machine/fold',
    'daemon/sessions/recovery',
    'daemon/store',
    'daemon/store/journal',
    'node:',
    'npm:nanoid',
  ],
  // Does what the machine asks for.
  'daemon/sessions/effects': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/agents',
    'daemon/home',
    'daemon/log',
    'daemon/os',
    'daemon/pty-host',
    'daemon/sessions',
    'daemon/sessions/conversation-lock',
    'daemon/sessions/launch',
    'daemon/sessions/machine',
    'daemon/sessions/machine/fold',
    'daemon/sessions/recovery',
    'daemon/sessions/scheduling',
    'daemon/store',
    'node:',
    'npm:nanoid',
  ],
  // Folds what is stored to the state of a session.
  'daemon/sessions/recovery': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/agents',
    'daemon/pty-host',
    'daemon/home',
    'daemon/sessions',
    'daemon/sessions/machine',
    'daemon/sessions/machine/fold',
    'daemon/store',
    'node:',
  ],
  // What a new session or process begins with, and the checks before.
  'daemon/sessions/launch': [
    'protocol',
    'daemon', // config.ts
    'daemon/agents',
    'daemon/rpc',
    'daemon/sessions',
    'daemon/sessions/conversation-lock',
    'daemon/sessions/machine/fold',
    'node:',
    'npm:nanoid',
  ],
  // Which run begins next.
  'daemon/sessions/scheduling': ['protocol'],
  // One owner for each conversation, over all homes of a user.
  'daemon/sessions/conversation-lock': [
    'daemon', // config.ts
    'daemon/agents',
    'daemon/os',
    'daemon/pty-host',
    'daemon/rpc',
    'daemon/sessions',
    'daemon/store/sqlite', // file-lock.ts
    'node:',
    'npm:nanoid',
    'npm:typebox',
  ],
  // The topics by name. Under them: delivery to connections, and the logs that it reads.
  'daemon/topics': [
    'protocol',
    'daemon/agents',
    'daemon/rpc',
    'daemon/store',
    'daemon/store/journal',
    'daemon/topics/delivery',
    'daemon/topics/logs',
  ],
  'daemon/topics/delivery': [
    'protocol',
    'daemon', // hook-points.ts
    'daemon/rpc',
    'daemon/topics/logs',
  ],
  'daemon/topics/logs': ['daemon/agents', 'daemon/pty-host', 'daemon/store'],
  'daemon/retention': [
    'protocol',
    'daemon/agents',
    'daemon/log',
    'daemon/pty-host',
    'daemon/sessions',
    'daemon/sessions/conversation-lock',
    'daemon/store',
    'daemon/topics/logs', // drops the raw logs that no topic reads
    'node:',
  ],
  'daemon/usage': ['protocol', 'daemon/rpc', 'daemon/store', 'node:'],
  'daemon/notify': [
    'protocol',
    'daemon/log',
    'daemon/pty-host', // ends what a command has left behind, as for processes
    'daemon/store',
    'daemon/topics/logs', // shortens an event as topics do
    'node:',
    'npm:typebox',
  ],
  'daemon/tokens': [
    'protocol',
    'daemon/home',
    'daemon/log',
    'daemon/os',
    'daemon/rpc',
    'node:',
    'npm:nanoid',
    'npm:typebox',
  ],
  'daemon/workspaces': ['protocol', 'daemon/rpc', 'daemon/store'],
  'daemon/rpc': [
    'protocol',
    'daemon/log',
    'daemon/os',
    'daemon/store', // keeps the answers to calls with a key
    'node:',
    'npm:nanoid',
    'npm:typebox',
  ],
  'daemon/server': [
    'protocol',
    'daemon/log',
    'daemon/os',
    'daemon/rpc',
    'daemon/sessions', // operator-presence.ts
    'daemon/store',
    'daemon/tokens',
    'daemon/topics/delivery',
    'node:',
    'npm:ws',
  ],
  // A program of its own that stands in for Claude Code; nothing imports it.
  'daemon/simulator': ['daemon/simulator/scripts', 'node:'],
  'daemon/simulator/scripts': ['daemon/simulator', 'node:'],

  // ---- The clients. They never import daemon/. ----

  // The SDK runs in browsers; index.ts is its entry for Node.
  'client/sdk': ['protocol'],
  'client/sdk/index.ts': ['client/sdk/node', 'node:'],
  'client/sdk/node': ['protocol', 'client/sdk', 'node:', 'npm:ws'],
  'client/sdk/build.mjs': ['node:', 'npm:esbuild'],
  'client/text': ['protocol'],

  // The command line: screen < errors, render < daemon < command < follow < commands, each importing those before it.
  // The files beside these folders are the two programs, muxd and its demo.
  'client/cli': [
    'client/cli/command',
    'client/cli/commands',
    'client/cli/errors',
    'client/cli/screen',
    'client/sdk',
    'npm:commander',
  ],
  'client/cli/commands': [
    'protocol',
    'client/cli/command',
    'client/cli/daemon',
    'client/cli/errors',
    'client/cli/follow',
    'client/cli/render',
    'client/cli/screen',
    'client/sdk',
    'client/sdk/node',
    'client/text',
    'node:',
    'npm:commander',
  ],
  // A run as it goes on, and the questions that a person answers in its terminal.
  'client/cli/follow': [
    'protocol',
    'client/cli/errors',
    'client/cli/render',
    'client/cli/render/run',
    'client/cli/screen',
    'client/sdk',
    'node:',
  ],
  // What all commands share: common options, the connection.
  'client/cli/command': [
    'protocol',
    'client/cli/daemon',
    'client/cli/errors',
    'client/cli/screen',
    'client/sdk',
    'node:',
    'npm:commander',
  ],
  // The daemon of this machine: its start, its home, its logs.
  'client/cli/daemon': ['protocol', 'client/cli/errors', 'client/cli/screen', 'client/sdk', 'client/sdk/node', 'node:'],
  'client/cli/errors': ['client/cli/screen', 'client/sdk', 'npm:commander'],
  // Records of the protocol as lines of text; run/ shows the events of a run.
  'client/cli/render': ['protocol', 'client/cli/screen', 'client/sdk', 'client/text', 'node:', 'npm:picocolors'],
  'client/cli/render/run': ['client/cli/render', 'client/cli/screen', 'client/sdk', 'client/text', 'npm:picocolors'],
  // Output and its text: harmless, wrapped, live lines.
  'client/cli/screen': ['client/text', 'node:', 'npm:picocolors'],
  'client/cli/demo.ts': [
    'client/cli/demo',
    'client/cli/render',
    'client/cli/render/run',
    'client/cli/screen',
    'client/sdk',
    'node:',
  ],
  'client/cli/demo': ['client/cli/daemon', 'client/cli/screen', 'client/sdk', 'node:'],

  // The page: parts < layout < context < approvals < conversation < panes < app, each importing those before it.
  // The files beside these folders are the connection, and state that outlives a component; main.tsx starts the page.
  'client/workspace/main.tsx': ['client/workspace/app', 'npm:preact'],
  'client/workspace': ['client/sdk', 'npm:@preact/signals', 'npm:preact'],
  'client/workspace/parts': ['npm:@preact/signals', 'npm:dompurify', 'npm:highlight.js', 'npm:marked', 'npm:preact'],
  'client/workspace/layout': ['client/sdk', 'client/workspace', 'npm:dockview-core'],
  'client/workspace/context': [
    'client/sdk',
    'client/workspace',
    'client/workspace/layout',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  'client/workspace/approvals': [
    'client/sdk',
    'client/text',
    'client/workspace',
    'client/workspace/context',
    'client/workspace/layout',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  // A conversation: model (what it says) < event-window (what of it is loaded), list < rows, prompt, search < foot < the
  // pane, whose context its parts may import.
  'client/workspace/conversation': [
    'client/sdk',
    'client/workspace',
    'client/workspace/conversation/event-window',
    'client/workspace/conversation/foot',
    'client/workspace/conversation/list',
    'client/workspace/conversation/model',
    'client/workspace/conversation/prompt',
    'client/workspace/conversation/rows',
    'client/workspace/conversation/search',
    'client/workspace/layout',
    'client/workspace/parts',
    'npm:preact',
  ],
  'client/workspace/conversation/model': ['client/sdk', 'client/text', 'client/workspace/parts', 'npm:diff'],
  'client/workspace/conversation/event-window': ['client/sdk', 'client/workspace/conversation/model'],
  'client/workspace/conversation/list': ['client/workspace/conversation/model', 'npm:preact'],
  'client/workspace/conversation/rows': [
    'client/text',
    'client/workspace/approvals',
    'client/workspace/conversation',
    'client/workspace/conversation/list',
    'client/workspace/conversation/model',
    'client/workspace/parts',
    'npm:preact',
  ],
  'client/workspace/conversation/prompt': [
    'client/sdk',
    'client/workspace',
    'client/workspace/conversation',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  'client/workspace/conversation/search': [
    'client/workspace/conversation/event-window',
    'client/workspace/conversation/list',
    'client/workspace/conversation/model',
    'client/workspace/parts',
    'npm:preact',
  ],
  // What is below the messages.
  'client/workspace/conversation/foot': [
    'client/sdk',
    'client/text',
    'client/workspace/conversation',
    'client/workspace/conversation/model',
    'client/workspace/conversation/prompt',
    'client/workspace/layout',
    'client/workspace/parts',
    'npm:preact',
  ],
  'client/workspace/panes': [
    'client/sdk',
    'client/text',
    'client/workspace/approvals',
    'client/workspace/context',
    'client/workspace/conversation',
    'client/workspace/conversation/model', // shows the tool of an approval as a conversation does
    'client/workspace/layout',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  // The app: blocks, commands, dialogs < the shell.
  'client/workspace/app': [
    'client/sdk',
    'client/workspace',
    'client/workspace/app/blocks',
    'client/workspace/app/commands',
    'client/workspace/app/dialogs',
    'client/workspace/approvals',
    'client/workspace/context',
    'client/workspace/layout',
    'client/workspace/panes',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  // What the user can do, from the palette or by keys.
  'client/workspace/app/commands': [
    'client/sdk',
    'client/text',
    'client/workspace',
    'client/workspace/approvals',
    'client/workspace/context',
    'client/workspace/layout',
    'client/workspace/panes',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  'client/workspace/app/dialogs': [
    'client/sdk',
    'client/text',
    'client/workspace',
    'client/workspace/context',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:preact',
  ],
  // The open blocks, side by side or one at a time.
  'client/workspace/app/blocks': [
    'client/workspace/context',
    'client/workspace/layout',
    'client/workspace/panes',
    'client/workspace/parts',
    'npm:@preact/signals',
    'npm:dockview-core',
    'npm:preact',
  ],

  // ---- Everything else ----

  // Tests may look at every part.
  'test/**': ['protocol', 'client/**', 'daemon/**', 'sqlite-node20', 'test/**', 'node:', 'npm:*'],
  // An example uses what the package exports.
  examples: ['client/sdk'],
  'sqlite-node20': ['node:', 'npm:better-sqlite3'],
  // The configurations of tools, beside package.json.
  '.': ['client/sdk', 'node:', 'npm:esbuild', 'npm:vitest'],
  '.ci': ['node:', 'npm:dependency-cruiser'],
}

/** The page with the diagrams. Each shows the files that match `includeOnly`, and joins those whose `collapse` is the same. */
export const page = {
  file: 'docs/imports.md',
  introduction: `# Imports

An arrow leads from a folder to a folder that it imports. dependency-cruiser draws these diagrams from the files:
\`npm run imports\` writes this page, and \`npm run check\` fails when it is not current. The table of what each folder may
import is in \`.ci/imports.config.mjs\`.
`,
  diagrams: [
    {
      title: 'The parts',
      about: 'The daemon and its clients share `protocol/` only. The CLI and the page are consumers of the SDK.',
      includeOnly: '^(protocol|daemon|client)/',
      collapse: '^(protocol|daemon|client/[^/]+)',
    },
    {
      title: 'The daemon',
      about: 'Without the files beside these folders: `compose.ts` imports them all.',
      includeOnly: '^daemon/[^/]+/',
      collapse: '^daemon/[^/]+(?=/)',
    },
    {
      title: 'The page',
      about: 'Without the files beside these folders: the connection, and state that outlives a component.',
      includeOnly: '^client/workspace/[^/]+/',
      collapse: '^client/workspace/[^/]+(?=/)',
    },
  ],
}
