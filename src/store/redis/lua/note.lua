-- Writes a remark about a task to the log.
-- ARGV: id, note, the attempt whose remark it is or ''
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, problem = load(ARGV[1])
if not task then return problem end
if ARGV[3] ~= '' and (task.is_final or task.attempt ~= ARGV[3] or task.worker == '') then
  return seldom().refused(task, ARGV[3])
end
emit(task, 'noted', '{"note":' .. cjson.encode(ARGV[2]) .. '}')
call('HSET', P .. 'task:' .. task.id, 'log', task.log)
return { 'ok' }
