-- Writes a remark about a task to the log.
-- ARGV: id, note
-- Returns: {'ok'} | {'no_task'}
local task = load(ARGV[1])
if not task then return { 'no_task' } end
emit(task, now(), 'noted', '{"note":' .. cjson.encode(ARGV[2]) .. '}')
return { 'ok' }
