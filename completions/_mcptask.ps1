
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'mcptask' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'mcptask'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'mcptask' {
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show the whole loop in one terminal: a task asks, you answer, it goes on')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Serve tools as MCP tasks over HTTP or stdio, and run them')
            [CompletionResult]::new('worker', 'worker', [CompletionResultType]::ParameterValue, 'Run tasks of the store, without a server')
            [CompletionResult]::new('submit', 'submit', [CompletionResultType]::ParameterValue, 'Launch a task; print its id')
            [CompletionResult]::new('watch', 'watch', [CompletionResultType]::ParameterValue, 'Tail events: one session''s, one task''s, or all, from the log''s start')
            [CompletionResult]::new('respond', 'respond', [CompletionResultType]::ParameterValue, 'Answer an open question: at a prompt, or with the options below')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List tasks, newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show everything about a task: questions, answers, events')
            [CompletionResult]::new('result', 'result', [CompletionResultType]::ParameterValue, 'Print a task''s result; the exit code is the outcome''s')
            [CompletionResult]::new('cancel', 'cancel', [CompletionResultType]::ParameterValue, 'Cancel a task: its work is stopped, its open questions are withdrawn')
            [CompletionResult]::new('tools', 'tools', [CompletionResultType]::ParameterValue, 'List the tools that can be submitted, or show one with its arguments')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script; task ids and tools complete as well')
            break
        }
        'mcptask;demo' {
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;serve' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Listen here; port 0 takes any free one')
            [CompletionResult]::new('--workers', '--workers', [CompletionResultType]::ParameterName, 'Run this many tasks at once in this process; 0 leaves all to `mcptask worker` elsewhere')
            [CompletionResult]::new('--token-file', '--token-file', [CompletionResultType]::ParameterName, 'Let in only clients with a bearer token of this file: on each line a name and its token')
            [CompletionResult]::new('--unanswerable', '--unanswerable', [CompletionResultType]::ParameterName, 'What becomes of a question when its client cannot answer: cancel it, or wait for `respond`')
            [CompletionResult]::new('--allowed-host', '--allowed-host', [CompletionResultType]::ParameterName, 'Take requests for this host name, besides loopback ones; * for any. May be given several times')
            [CompletionResult]::new('--allowed-origin', '--allowed-origin', [CompletionResultType]::ParameterName, 'Take requests of web pages from this origin. May be given several times')
            [CompletionResult]::new('--max-tasks', '--max-tasks', [CompletionResultType]::ParameterName, 'Unfinished tasks of one scope')
            [CompletionResult]::new('--max-ttl', '--max-ttl', [CompletionResultType]::ParameterName, 'The longest time that a task is kept')
            [CompletionResult]::new('--question-timeout', '--question-timeout', [CompletionResultType]::ParameterName, 'How long a question waits before it answers itself with cancel')
            [CompletionResult]::new('--max-body', '--max-body', [CompletionResultType]::ParameterName, 'The largest request, in bytes')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Serve one client on stdin and stdout instead')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;worker' {
            [CompletionResult]::new('--concurrency', '--concurrency', [CompletionResultType]::ParameterName, 'How many tasks run at once')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;submit' {
            [CompletionResult]::new('--arg', '--arg', [CompletionResultType]::ParameterName, 'An argument of the tool, read as its input schema says; may be given several times')
            [CompletionResult]::new('--args-json', '--args-json', [CompletionResultType]::ParameterName, 'All arguments as a JSON object: itself, @FILE, or - for stdin')
            [CompletionResult]::new('--session', '--session', [CompletionResultType]::ParameterName, 'Label the task with this session, for `watch` and `list`')
            [CompletionResult]::new('--ttl', '--ttl', [CompletionResultType]::ParameterName, 'Keep the task this long, for example 1h')
            [CompletionResult]::new('--answers', '--answers', [CompletionResultType]::ParameterName, 'Answer questions from this JSON file, or - for stdin (see below)')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Talk to an MCP server that this command line starts, on its stdin and stdout')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send this header with each request; may be given several times')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Send this bearer token [env: MCPTASK_TOKEN]')
            [CompletionResult]::new('--era', '--era', [CompletionResultType]::ParameterName, 'Speak this era of the protocol')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Stay to the end, answer questions, print the result')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Stay to the end, answer questions, print the result')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;watch' {
            [CompletionResult]::new('--task', '--task', [CompletionResultType]::ParameterName, 'Only this task''s events: its id, or its beginning; ends when the task does')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Begin here: `start`, `now`, a time ago such as 10m, a time in RFC 3339, or after a cursor from --json')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only events that leave their task in this status, for example input_required')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Stop after the first event of this kind, or `end` for any that ends a task')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on with new events (this is the default)')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on with new events (this is the default)')
            [CompletionResult]::new('--no-follow', '--no-follow', [CompletionResultType]::ParameterName, 'Stop after the events that there are')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;respond' {
            [CompletionResult]::new('--question', '--question', [CompletionResultType]::ParameterName, 'Answer this question of the task, for example q2; else the first open one')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'Set a field of the form, read as its kind says; lists are separated by commas. Means --accept')
            [CompletionResult]::new('--content', '--content', [CompletionResultType]::ParameterName, 'Accept with exactly this JSON object: itself, @FILE, or - for stdin')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Talk to an MCP server that this command line starts, on its stdin and stdout')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send this header with each request; may be given several times')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Send this bearer token [env: MCPTASK_TOKEN]')
            [CompletionResult]::new('--era', '--era', [CompletionResultType]::ParameterName, 'Speak this era of the protocol')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept; what is not --set has the form''s default')
            [CompletionResult]::new('--decline', '--decline', [CompletionResultType]::ParameterName, 'Say no')
            [CompletionResult]::new('--cancel', '--cancel', [CompletionResultType]::ParameterName, 'Dismiss the question without deciding')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;list' {
            [CompletionResult]::new('--session', '--session', [CompletionResultType]::ParameterName, 'Only this session''s')
            [CompletionResult]::new('--status', '--status', [CompletionResultType]::ParameterName, 'Only those in this status: working, input_required, completed, failed or cancelled')
            [CompletionResult]::new('--tool', '--tool', [CompletionResultType]::ParameterName, 'Only this tool''s')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most this many')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;show' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Talk to an MCP server that this command line starts, on its stdin and stdout')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send this header with each request; may be given several times')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Send this bearer token [env: MCPTASK_TOKEN]')
            [CompletionResult]::new('--era', '--era', [CompletionResultType]::ParameterName, 'Speak this era of the protocol')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;result' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Talk to an MCP server that this command line starts, on its stdin and stdout')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send this header with each request; may be given several times')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Send this bearer token [env: MCPTASK_TOKEN]')
            [CompletionResult]::new('--era', '--era', [CompletionResultType]::ParameterName, 'Speak this era of the protocol')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Wait for the end, without answering questions')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'Wait for the end, without answering questions')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;cancel' {
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Why, for the log')
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Talk to an MCP server that this command line starts, on its stdin and stdout')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send this header with each request; may be given several times')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Send this bearer token [env: MCPTASK_TOKEN]')
            [CompletionResult]::new('--era', '--era', [CompletionResultType]::ParameterName, 'Speak this era of the protocol')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;tools' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp')
            [CompletionResult]::new('--stdio', '--stdio', [CompletionResultType]::ParameterName, 'Talk to an MCP server that this command line starts, on its stdin and stdout')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'Send this header with each request; may be given several times')
            [CompletionResult]::new('--token', '--token', [CompletionResultType]::ParameterName, 'Send this bearer token [env: MCPTASK_TOKEN]')
            [CompletionResult]::new('--era', '--era', [CompletionResultType]::ParameterName, 'Speak this era of the protocol')
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'mcptask;completions' {
            [CompletionResult]::new('--redis', '--redis', [CompletionResultType]::ParameterName, 'Keep tasks in this Redis: redis://, rediss:// or unix:// [env: MCPTASK_REDIS_URL]')
            [CompletionResult]::new('--db', '--db', [CompletionResultType]::ParameterName, 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]')
            [CompletionResult]::new('--namespace', '--namespace', [CompletionResultType]::ParameterName, 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Colour the output')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Give up waiting after this long, for example 90s or 5m: exit 7')
            [CompletionResult]::new('--static', '--static', [CompletionResultType]::ParameterName, 'A script that never runs mcptask: completes options, not ids')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say nothing on stderr but errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say more: -v for causes and debug logs, -vv for everything')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask at the terminal: exit 6 where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
