-- Stores a task and queues it.
-- ARGV: id, new (JSON), tool, session or '', scope, hidden 0|1, ttl ms or '', most attempts, most open tasks
-- Returns: {'ok', hash...} | {'exists'} | {'too_many'}
local id, at = ARGV[1], now()
if redis.call('EXISTS', key(id)) == 1 then return { 'exists' } end
if (tonumber(redis.call('HGET', P .. 'unfinished', ARGV[5])) or 0) >= tonumber(ARGV[9]) then
  return { 'too_many' }
end
local task = { id = id, status = 'working', tool = ARGV[3], session = ARGV[4], scope = ARGV[5], hidden = ARGV[6],
  created = at }
redis.call('HSET', key(id), 'new', ARGV[2], 'tool', ARGV[3], 'session', ARGV[4], 'scope', ARGV[5],
  'hidden', ARGV[6], 'ttl', ARGV[7], 'most', ARGV[8], 'status', 'working', 'created', at, 'updated', at,
  'attempt', 0, 'failures', 0, 'asked', 0, 'open', 0)
redis.call('ZADD', P .. 'ids', 0, id)
redis.call('ZADD', P .. 'tasks', at, id)
redis.call('ZADD', P .. 'status:working', at, id)
redis.call('ZADD', P .. 'scope:' .. task.scope, at, id)
if task.session ~= '' then redis.call('ZADD', P .. 'session:' .. task.session, at, id) end
if ARGV[7] ~= '' then redis.call('ZADD', P .. 'deadlines', at + tonumber(ARGV[7]), 't:' .. id) end
redis.call('HINCRBY', P .. 'unfinished', task.scope, 1)
enqueue(task)
emit(task, at, 'submitted', '{}')
return { 'ok', redis.call('HGETALL', key(id)) }
