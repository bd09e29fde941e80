-- Stores a task and queues it.
-- ARGV: id, new (JSON), tool, session or '', scope, hidden 0|1, ttl ms or '', most attempts, most open tasks
-- Returns: {'ok', at} | {'exists'} | {'too_many'}
local id, ttl = ARGV[1], ARGV[7]
local task = { id = id, tool = ARGV[3], session = ARGV[4], scope = ARGV[5], hidden = ARGV[6], status = 'working', log = '',
  labels = ARGV[6] .. ARGV[3] .. '\n' .. ARGV[4] .. '\n' .. ARGV[5], entry = '', place = '' }
if call('EXISTS', P .. 'task:' .. id) == 1 then return { 'exists' } end
if unfinished_of(task.scope) >= tonumber(ARGV[9]) then return { 'too_many' } end
local at = emit(task, 'submitted', '')
enqueue(task)
task.place = padded(at) .. ':' .. id
local members = { 'i:' .. id, live(task), unfinished(task) }
labels(task, members)
if ttl ~= '' then members[#members + 1] = 'd:' .. digits(at + ttl) .. ':t:' .. id end
-- No fewer than three, and no more than six.
local one, other, another = members[4], members[5], members[6]
if not other then
  call('ZADD', INDEX, '0', members[1], '0', members[2], '0', members[3], '0', one or members[1])
else
  call('ZADD', INDEX, '0', members[1], '0', members[2], '0', members[3], '0', one, '0', other, '0', another or one)
end
call('HSET', P .. 'task:' .. id, 'new', ARGV[2], 'labels', task.labels, 'ttl', ttl, 'most', ARGV[8], 'status', 'working', 'created', at, 'updated', at,
  'attempt', '0', 'asked', '0', 'open', '0', 'entry', task.entry, 'log', task.log)
return { 'ok', at }
