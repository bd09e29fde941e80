-- Notes a step of a running task.
-- ARGV: id, attempt, progress (JSON), message or ''
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, problem = load(ARGV[1])
if not task then return problem end
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local at = emit(task, 'progress', ARGV[3])
local message = {}
if ARGV[4] ~= '' then message = { 'message', ARGV[4] } end
call('HSET', key(task.id), 'progress', ARGV[3], 'updated', whole(at), 'log', task.log, unpack(message))
return { 'ok' }
