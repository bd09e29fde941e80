-- Ends a running task.
-- ARGV: id, attempt, status, outcome (JSON), event kind, event detail (JSON)
-- Returns: {'ok'} | {'no_task'} | {'lost', now}
local task = load(ARGV[1])
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local at = now()
redis.call('HSET', key(task.id), 'outcome', ARGV[4])
finish(task, at, ARGV[3])
emit(task, at, ARGV[5], ARGV[6])
return { 'ok' }
