-- Writes a remark about a task to the log.
-- ARGV: id, note, the attempt whose remark it is or ''
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, problem = load(ARGV[1])
if not task then return problem end
local refusal = ARGV[3] ~= '' and refused(task, ARGV[3])
if refusal then return refusal end
emit(task, 'noted', '{"note":' .. cjson.encode(ARGV[2]) .. '}')
call('HSET', P .. 'task:' .. task.id, 'log', task.log)
return { 'ok' }
