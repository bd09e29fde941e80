-- Ends any task that is not final.
-- ARGV: id, reason
-- Returns: {'ok'} | {'no_task'} | {'ended', status}
local task = load(ARGV[1])
if not task then return { 'no_task' } end
if is_final(task.status) then return { 'ended', task.status } end
local at = now()
redis.call('HSET', key(task.id), 'message', ARGV[2])
finish(task, at, 'cancelled')
emit(task, at, 'cancelled', '{"reason":' .. cjson.encode(ARGV[2]) .. '}')
return { 'ok' }
