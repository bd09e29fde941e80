-- Takes a claimed task that cannot be read out of the way: it is queued no more, until it is cancelled or expires.
-- ARGV: id, attempt, why
-- Returns: {'ok'} | {'no_task'} | {'lost', now} | {'unreadable', problem}
local task, problem = load(ARGV[1])
if not task then return problem end
if task.is_final or task.attempt ~= ARGV[2] or task.worker == '' then return seldom().refused(task, ARGV[2]) end
local at = emit(task, 'noted', '{"note":' .. cjson.encode('parked: ' .. ARGV[3]) .. '}')
call('HSET', P .. 'task:' .. task.id, 'worker', '', 'updated', at, 'log', task.log)
try('SREM', P .. 'held:' .. task.worker, task.id)
return { 'ok' }
