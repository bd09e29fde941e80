-- Stores a task and queues it.
-- ARGV: id, new (JSON), tool, session or '', scope, hidden 0|1, ttl ms or '', most attempts, most open tasks
-- Returns: {'ok', at} | {'exists'} | {'too_many'}
local id, ttl = ARGV[1], ARGV[7]
local task = { id = id, tool = ARGV[3], session = ARGV[4], scope = ARGV[5], hidden = ARGV[6], status = 'working', log = '',
  entry = '', place = '' }
if call('EXISTS', P .. 'task:' .. id) == 1 then return { 'exists' } end
local most = tonumber(ARGV[9])
if count(task.scope, '1') > most then
  -- A count that cannot be, which somebody else wrote, refuses nobody.
  local unfinished = most_unfinished(task.scope) + 1
  if unfinished > most then
    undo[#undo]()
    return { 'too_many' }
  end
  call('HSET', P .. 'open', task.scope, whole(unfinished))
end
local at = emit(task, 'submitted', '')
enqueue(task)
task.place = digits(at) .. ':' .. id
local members = { 'i:' .. id, live(task) }
labels(task, members)
if ttl ~= '' then members[#members + 1] = 'd:' .. digits(tonumber(at) + tonumber(ttl)) .. ':t:' .. id end
-- No more than five.
call('ZADD', INDEX, '0', members[1], '0', members[2], '0', members[3] or members[1], '0', members[4] or members[1],
  '0', members[5] or members[1])
call('HSET', P .. 'task:' .. id, 'new', ARGV[2], 'tool', task.tool, 'session', task.session, 'scope', task.scope,
  'hidden', task.hidden, 'ttl', ttl, 'most', ARGV[8], 'status', 'working', 'created', at, 'updated', at,
  'attempt', '0', 'failures', '0', 'asked', '0', 'open', '0', 'entry', task.entry, 'log', task.log)
return { 'ok', at }
