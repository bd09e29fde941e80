-- Notes a step of a running task.
-- ARGV: id, attempt, progress (JSON), message or ''
-- Returns: {'ok'} | {'no_task'} | {'lost', now}
local task = load(ARGV[1])
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local at = now()
redis.call('HSET', key(task.id), 'progress', ARGV[3], 'updated', at)
if ARGV[4] ~= '' then redis.call('HSET', key(task.id), 'message', ARGV[4]) end
emit(task, at, 'progress', ARGV[3])
return { 'ok' }
