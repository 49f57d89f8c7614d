/** The tools that a permission rule may name, apart from those of MCP servers. */

/**
 * A path rule for any of these tools is sent as a rule for `Edit`, because Claude Code ignores it under other names.
 */
export const editingTools: readonly string[] = ['Edit', 'MultiEdit', 'Write', 'NotebookEdit']

/** The same for rules of `Read`. */
export const readingTools: readonly string[] = ['Read', 'NotebookRead', 'Grep', 'Glob', 'LS']

/** `Task` is the older name of `Agent`. Claude Code accepts both. */
export const agentTools: readonly string[] = ['Agent', 'Task']

/** Tools that no rule can allow, because they exist to ask a person. */
export const personsTools: ReadonlySet<string> = new Set(['AskUserQuestion', 'ExitPlanMode'])

/** The tools of Claude Code 2.1.139 to 2.1.332. It ignores a rule with any other name, even a misspelt deny. */
export const toolNames: ReadonlySet<string> = new Set([
  ...editingTools,
  ...readingTools,
  ...agentTools,
  ...personsTools,
  ...(
    'AgentOutputTool Bash BashOutput Brief Config CronCreate CronDelete CronList EnterPlanMode EnterWorktree ' +
    'ExitWorktree KillBash KillShell ListAgents ListMcpResourcesTool LSP Monitor PowerShell PushNotification ' +
    'ReadMcpResourceDirTool ReadMcpResourceTool RemoteTrigger ReportFindings ScheduleWakeup SendMessage Skill Sleep ' +
    'SlashCommand StructuredOutput TaskCreate TaskGet TaskList TaskOutput TaskStop TaskUpdate TeamCreate TeamDelete ' +
    'TodoWrite ToolSearch WebFetch WebSearch Workflow'
  ).split(' '),
])
