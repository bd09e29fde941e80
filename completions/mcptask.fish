# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mcptask_global_optspecs
    string join \n profile= redis= db= namespace= docket= json q/quiet v/verbose color= yes no-input timeout= h/help V/version
end

function __fish_mcptask_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mcptask_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mcptask_using_subcommand
    set -l cmd (__fish_mcptask_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mcptask -n "__fish_mcptask_needs_command" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_needs_command" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_needs_command" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_needs_command" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_needs_command" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_needs_command" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_needs_command" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_needs_command" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_needs_command" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_needs_command" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_needs_command" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_needs_command" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_needs_command" -s V -l version -d 'Print version'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "demo" -d 'Show the whole loop in one terminal: a task asks, you answer, it goes on'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "serve" -d 'Serve tools as MCP tasks over HTTP or stdio, and run them'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "worker" -d 'Run tasks of the store, without a server'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "submit" -d 'Launch a task; print its id'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "attach" -d 'Take up `submit --wait` again: stay with a task to its end, answer its questions, print the result'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "watch" -d 'Tail events: one session\'s, one task\'s, or all, from the log\'s start'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "respond" -d 'Answer an open question: at a prompt, or with the options below'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "inbox" -d 'Answer questions as they come: all that wait, oldest first, on the whole screen'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "link" -d 'Print a link to a page on which one question is answered, by whoever has the link'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "extend" -d 'Give a question that waits more time, counted from now on'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "list" -d 'List tasks, newest first'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "show" -d 'Show everything about a task: questions, answers, events'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "result" -d 'Print a task\'s result; the exit code is the outcome\'s'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "cancel" -d 'Cancel tasks: their work is stopped, their open questions are withdrawn'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "retry" -d 'Launch a new task from one that has ended; print its id'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "prune" -d 'Delete tasks that have ended, before their ttl does'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "doctor" -d 'Say why a task is stuck, and what helps'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "tools" -d 'List the tools that can be submitted, or show one with its arguments'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "workers" -d 'List the workers, and what each runs'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "notify" -d 'List who is told of what happens, and what could not be told; send that again; try a notifier'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "export" -d 'Export questions with their answers, for an audit'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "ask" -d 'Ask the user of this task, from inside a command that a worker runs'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "report" -d 'Report a step of this task, from inside a command that a worker runs'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "check" -d 'Check configuration files: every mistake, with its line and column and what is allowed there'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "mcp" -d 'Serve the desk to an MCP host on stdio: its model can say what waits, and a person can decide there'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "completions" -d 'Print a shell\'s completion script; task ids and tools complete as well'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "config" -d 'Show each setting with where its value comes from, or the path of the file of profiles'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "init" -d 'Write a commented mcptask.toml to begin with'
complete -c mcptask -n "__fish_mcptask_needs_command" -f -a "help" -d 'Print the help of all, or of one command'
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l listen -d 'Listen here; port 0 takes any free one' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l concurrency -d 'Run this many tasks at once in this process; 0 leaves all to `mcptask worker` elsewhere' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l unanswerable -d 'What becomes of a question when its client cannot answer, where its tool does not say: cancel it, wait for `respond`, or wait and let notifiers tell of it' -r -f -a "cancel\t''
wait\t''
notify\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l rules -d 'Let the rules of this file answer what they are about, before anybody is shown it' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l allowed-host -d 'Take requests for this host name, besides loopback ones; * for any. May be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l allowed-origin -d 'Take requests of web pages from this origin. May be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l public-url -d 'Serve pages on which questions are answered, for people who reach this server at this URL [env: MCPTASK_PUBLIC_URL]' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l token-file -d 'Let in only clients with a bearer token of this file: on each line a name and a token' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l tls-cert -d 'Speak TLS with this certificate, in PEM format, the chain after it. SIGHUP reads it again' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l tls-key -d 'The certificate\'s private key, in PEM format' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l config -d 'Offer the tools of this file [default: mcptask.toml of the working directory, else the built-in tools]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l fault -d 'Misbehave on purpose, for tests of MCP clients. May be given several times' -r -f -a "same-question-twice\t''
malformed-question\t''
question-after-cancel\t''
late-answer-accepted\t''
crash-while-asking\t''
dropped-connection\t''
stalled-stream\t''
missing-notification\t''
ttl-ends-mid-question\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l lease -d 'How long this process may be silent before others take over the tasks that it runs' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l max-tasks -d 'Unfinished tasks of one scope' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l max-ttl -d 'The longest time that a task is kept' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l question-timeout -d 'How long a question waits before it answers itself with cancel' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l max-body -d 'The largest request, in bytes' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l rate-limit -d 'Requests of one scope per second [default: as many as come]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l max-requests -d 'Requests and open streams of one scope at once' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l max-sessions -d 'Sessions of one scope at once' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l keep -d 'Keep tasks this long after their ttl ended, for `list --history` and `show` [default: they are deleted then]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l keep-bytes -d 'The most bytes of tasks that are kept so; those that would go soonest are deleted' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l stdio -d 'Serve one client on stdin and stdout instead'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l experimental-events -d 'Offer clients MCP\'s Events extension: questions and ends of their tasks, by poll or stream'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l insecure -d 'Listen on an address that others reach even though everybody is let in'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l builtin -d 'Offer the built-in tools as well, beside those of a file'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l concurrency -d 'How many tasks run at once' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l config -d 'Offer the tools of this file [default: mcptask.toml of the working directory, else the built-in tools]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l fault -d 'Misbehave on purpose, for tests of MCP clients. May be given several times' -r -f -a "same-question-twice\t''
malformed-question\t''
question-after-cancel\t''
late-answer-accepted\t''
crash-while-asking\t''
dropped-connection\t''
stalled-stream\t''
missing-notification\t''
ttl-ends-mid-question\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l lease -d 'How long this process may be silent before others take over the tasks that it runs' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l keep -d 'Keep tasks this long after their ttl ended, for `list --history` and `show` [default: they are deleted then]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l keep-bytes -d 'The most bytes of tasks that are kept so; those that would go soonest are deleted' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l builtin -d 'Offer the built-in tools as well, beside those of a file'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand worker" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l arg -d 'An argument of the tool, read as its input schema says; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l args-json -d 'All arguments as a JSON object: itself, @FILE, or - for stdin' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l session -d 'Label the task with this session, for `watch` and `list`' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l ttl -d 'Keep the task this long, for example 1h' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l answers -d 'Answer questions from this JSON file, or - for stdin (see below)' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -s w -l wait -d 'Stay to the end, answer questions, print the result'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l cancel-on-exit -d 'Cancel the task where this command ends before it: by Ctrl-C, SIGTERM, a closed terminal or --timeout'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand submit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l answers -d 'Answer questions from this JSON file, or - for stdin (see below)' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l cancel-on-exit -d 'Cancel the task where this command ends before it: by Ctrl-C, SIGTERM, a closed terminal or --timeout'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l task -d 'Only this task\'s events: its id, or its beginning; ends when the task does' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l since -d 'Begin here: `start`, `now`, a time ago such as 10m, a time in RFC 3339, or after a cursor from --json [default: start; with --exec or --webhook now]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l tail -d 'Begin with the last N events' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l status -d 'Only events that leave their task in this status, for example input_required' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l event -d 'Only events of this kind, or `end` for any that ends a task; may be given several times' -r -f -a "submitted\t''
claimed\t''
progress\t''
asked\t''
answered\t''
extended\t''
reminded\t''
unanswerable\t''
completed\t''
failed\t''
cancelled\t''
requeued\t''
expired\t''
noted\t''
end\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l until -d 'Stop after the first event of this kind, or `end` for any that ends a task' -r -f -a "submitted\t''
claimed\t''
progress\t''
asked\t''
answered\t''
extended\t''
reminded\t''
unanswerable\t''
completed\t''
failed\t''
cancelled\t''
requeued\t''
expired\t''
noted\t''
end\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l exec -d 'Run this command in a shell for each event that is printed, one after the other' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l parallel -d 'Run so many commands of --exec at once; those of one task in the order of its events' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l exec-timeout -d 'Stop a command of --exec that takes longer, with all that it has started' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l webhook -d 'Post each event that is printed to this webhook, one after the other, as the notifiers of `serve` do' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l secret-env -d 'The variable of the environment whose value signs what is posted, as Standard Webhooks says' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -s f -l follow -d 'Go on with new events (this is the default)'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l no-follow -d 'Stop after the events that there are'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l exit-status -d 'When the task has ended, exit as `result` does; SESSION is then a task\'s id'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l bell -d 'Ring the terminal\'s bell at each new question; with --event at each such event'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l tool -d 'With --all: of this tool\'s tasks' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l session -d 'With --all: of this session\'s tasks' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l question -d 'Answer this question of the task, for example q2; else the first open one' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l set -d 'Set a field of the form, read as its kind says; lists are separated by commas. Means --accept' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l content -d 'Accept with exactly this JSON object: itself, @FILE, or - for stdin' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l as -d 'Say who answers, for the log: as given, not proven [env: MCPTASK_AS] [default: user@host]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l note -d 'Note something beside the answer, such as a ticket or a reason; the task\'s log keeps it' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l rules -d 'Answer every question that waits, or those of TASK, as the rules of this file say; the first that matches decides' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l next -d 'Answer the question that has waited longest, whichever task it is of'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l all -d 'Answer every open question of the tasks of a tool, of a session, or of both, each as its own form wants it'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l dry-run -d 'With --all or --rules: show what would be sent to whom, and send nothing'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l wait -d 'Wait until the task asks; --timeout bounds it'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l accept -d 'Accept; what is not --set has the form\'s default'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l decline -d 'Say no'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l cancel -d 'Dismiss the question without deciding'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l direct -d 'Answer a FastMCP 4 task straight in its Redis, round its server\'s authorisation'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l follow -d 'With --rules: go on with what is asked from now on, until Ctrl-C; the file is read again when it changes'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand respond" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l as -d 'Say who answers, for the log: as given, not proven [env: MCPTASK_AS] [default: user@host]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l note -d 'Note something beside each answer, such as a ticket or a reason; the task\'s log keeps it' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l also -d 'Look there as well: a profile\'s name, an MCP server\'s URL, or its name in `mcp.json`; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l no-bell -d 'Ring no bell when a question comes'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand inbox" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l question -d 'The question\'s id [default: the first open one]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l as -d 'Whom it is for: the log says that this one answered' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l public-url -d 'Where people reach the server, as its --public-url says [env: MCPTASK_PUBLIC_URL]' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l withdraw -d 'Withdraw the links of the task, or of that question of it: they lead nowhere any more'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand link" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l question -d 'The question\'s id, for example q2 [default: the first open one]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l as -d 'Say who extends it, for the log: as given, not proven [env: MCPTASK_AS] [default: user@host]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l note -d 'Note why; the task\'s log keeps it' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l session -d 'Only this session\'s' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l status -d 'Only those in this status: working, input_required, completed, failed or cancelled; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l tool -d 'Only this tool\'s' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l since -d 'Only those that were launched since: a time ago such as 10m, or a time in RFC 3339' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l sort -d 'In this order' -r -f -a "created\t'The newest first; this is the default'
changed\t'What changed last first'
waiting\t'Who has waited longest for an answer first'"
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l limit -d 'At most this many' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l waiting -d 'Only those that wait for an answer, the one that has waited longest first'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l history -d 'Those whose ttl has ended, as long as `--keep` of `serve` and `worker` keeps them, in place of the present ones'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -s f -l follow -d 'Go on with what happens to it, until it ends'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -s w -l wait -d 'Wait for the end, without answering questions'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand result" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l session -d 'All unfinished ones of this session' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l tool -d 'All unfinished ones of this tool; of that session, where both are given' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l older -d 'Only those that were launched longer ago, for example 2h' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l reason -d 'Why, for the log' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l dry-run -d 'Show which tasks these are, and change nothing'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand cancel" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l arg -d 'An argument in place of the earlier one of that name; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l session -d 'Label the task with this session in place of the earlier one' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l ttl -d 'Keep the task this long, for example 1h; else as long as the earlier one' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l answers -d 'Answer questions from this JSON file, or - for stdin (see below)' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -s w -l wait -d 'Stay to the end, answer questions, print the result'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l from-journal -d 'Answer questions as people answered the same ones of the earlier task'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l cancel-on-exit -d 'Cancel the task where this command ends before it: by Ctrl-C, SIGTERM, a closed terminal or --timeout'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand retry" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l status -d 'Only those that ended so: completed, failed or cancelled; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l older-than -d 'Only those that ended longer ago, for example 7d; with --history, whose ttl did' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l session -d 'Only this session\'s' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l tool -d 'Only this tool\'s' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l ended -d 'All that have ended, however they did'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l history -d 'Delete what is kept of tasks whose ttl has ended, which `list --history` shows'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l dry-run -d 'Show which tasks these are, and delete nothing'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l fix -d 'Put a FastMCP task back to waiting that FastMCP lost to its own status race'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand tools" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l tool -d 'Only the workers that run this tool' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand workers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l config -d 'For `test`: the file that has the notifier [default: mcptask.toml of the working directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l all -d 'For `retry`: all that was given up or waits for another try'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand notify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l since -d 'Only what was asked since: a time ago such as 7d, or a time in RFC 3339' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l session -d 'Only this session\'s' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l tool -d 'Only this tool\'s' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l format -d 'As JSON, one object a line; or as comma-separated values with a header' -r -f -a "jsonl\t''
csv\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l choose -d 'One of these' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l choose-many -d 'Any of these' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l url -d 'Consent to visit this page' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l schema -d 'A form, by its JSON schema: a file, or - for stdin' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l default -d 'What is filled in at first' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l title -d 'The name of the field, or of the --schema form' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l on-timeout -d 'What the question answers when nobody did in time' -r -f -a "cancel\t''
decline\t''
default\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l remind-after -d 'Tell people once more when the question has waited that long, for example 10m' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l text -d 'One line of text, the default'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l number -d 'A number'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l integer -d 'A whole number'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l confirm -d 'Yes (exit 0) or no (exit 1)'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l date -d 'A day, as YYYY-MM-DD'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l email -d 'An e-mail address'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l local -d 'Ask at this terminal, to try a script by hand'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand ask" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l local -d 'Say it at this terminal, to try a script by hand'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l as -d 'Say who answers, for the log: as given, not proven [env: MCPTASK_AS] [default: `mcp client` and the host\'s name]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l server -d 'Talk to this MCP server: a streamable HTTP endpoint, for example http://127.0.0.1:8737/mcp, or a name of `mcp.json`' -r -f
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l stdio -d 'Talk to an MCP server that this command line starts, on its stdin and stdout' -r -f -a "(__fish_complete_command)"
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l header -d 'Send this header with each request; may be given several times' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l token -d 'Send this bearer token [env: MCPTASK_TOKEN]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l era -d 'Speak this era of the protocol' -r -f -a "auto\t'Whatever the server speaks'
legacy\t'Up to 2025-11-25: sessions, tasks/result'
modern\t'2026-07-28: stateless, tasks as an extension'"
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l allow-answer -d 'Let the host\'s model answer questions, for the person who told it what, and have that person asked'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand mcp" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l static -d 'A script that never runs mcptask: completes options, not ids'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l profile -d 'Use the options of this profile in config.toml of the user\'s configuration directory [env: MCPTASK_PROFILE]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l redis -d 'Keep tasks in this Redis: redis://, rediss://, unix://, redis+sentinel:// or redis+cluster:// [env: MCPTASK_REDIS_URL]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l db -d 'Keep tasks in this SQLite file [env: MCPTASK_DB] [default: mcptask/tasks.db in the XDG state directory]' -r -F
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l namespace -d 'Use the tasks of this namespace [env: MCPTASK_NAMESPACE] [default: default]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l docket -d 'Look only at the FastMCP deployment of this docket in the Redis [default: all that are found]' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l color -d 'Colour the output [default: auto]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l timeout -d 'Give up waiting after this long, for example 90s or 5m: exit 7' -r
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l json -d 'Print JSON: one object per line, stamped with the time; errors are one JSON line on stderr'
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -s v -l verbose -d 'Say more: -v for causes and debug logs, -vv for everything'
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l yes -d 'Change something without asking first, where a profile or a command wants to ask'
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -l no-input -d 'Never ask at the terminal: exit 6 where an answer is needed'
complete -c mcptask -n "__fish_mcptask_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
