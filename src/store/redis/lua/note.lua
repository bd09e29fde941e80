-- Writes a remark about a task to the log.
-- ARGV: id, note
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem}
local task, problem = load(ARGV[1])
if not task then return problem end
emit(task, 'noted', '{"note":' .. cjson.encode(ARGV[2]) .. '}')
call('HSET', P .. 'task:' .. task.id, 'log', task.log)
return { 'ok' }
