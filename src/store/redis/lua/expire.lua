-- Deletes a task whose ttl ended.
-- ARGV: id
-- Returns: {'ok'}
local task, at = load(ARGV[1]), now()
if not task then
  redis.call('ZREM', P .. 'deadlines', 't:' .. ARGV[1])
  return { 'ok' }
end
if task.ttl == '' or task.created + tonumber(task.ttl) > at then return { 'ok' } end
if not is_final(task.status) then finish(task, at, 'cancelled') end
emit(task, at, 'expired', '{}')
redis.call('ZREM', P .. 'deadlines', 't:' .. task.id)
redis.call('ZREM', P .. 'ids', task.id)
redis.call('ZREM', P .. 'tasks', task.id)
redis.call('ZREM', P .. 'scope:' .. task.scope, task.id)
redis.call('ZREM', P .. 'status:' .. task.status, task.id)
if task.session ~= '' then redis.call('ZREM', P .. 'session:' .. task.session, task.id) end
redis.call('DEL', key(task.id), key(task.id) .. ':log')
return { 'ok' }
