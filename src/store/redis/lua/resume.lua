-- Queues a task whose delay is over; does nothing to another.
-- ARGV: id
-- Returns: {'ok'}
local at, member = now(), 'd:' .. ARGV[1]
local due = redis.call('ZSCORE', P .. 'deadlines', member)
if not due or tonumber(due) > at then return { 'ok' } end
redis.call('ZREM', P .. 'deadlines', member)
local task = load(ARGV[1])
if not task or is_final(task.status) or task.worker ~= '' or task.entry ~= '' then return { 'ok' } end
enqueue(task)
redis.call('HSET', key(task.id), 'updated', at)
emit(task, at, 'requeued', '{"reason":"the pause before the next attempt is over"}')
return { 'ok' }
