-- Notes a step of a running task.
-- ARGV: id, attempt, progress (JSON), message or ''
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, values = load(ARGV[1], 'message')
if not task then return values end
if task.is_final or task.attempt ~= ARGV[2] or task.worker == '' then return seldom().refused(task, ARGV[2]) end
local at, message = emit(task, 'progress', ARGV[3]), ARGV[4]
if message == '' then message = values[10] or '' end
call('HSET', P .. 'task:' .. task.id, 'progress', ARGV[3], 'updated', at, 'log', task.log, 'message', message)
return { 'ok' }
