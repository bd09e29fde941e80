-- Stores a task and queues it; or has an idle worker begin it at once, where nothing older waits for that worker.
-- ARGV: id, new (JSON), tool, session or '', scope, hidden 0|1, ttl ms or '', most attempts, most open tasks, then where
--       a worker is idle: its id, the event's detail, each tool that it could begin a task of
-- Returns: {'ok', at} | {'ok', at, claimed at} | {'exists'} | {'too_many'} | {'no_namespace'}, which has to be begun before
local id, ttl, worker, lease = ARGV[1], ARGV[7], ARGV[10], 0
local key, counted = P .. 'task:' .. id, 'u:' .. ARGV[5] .. '\n'
local task = { id = id, tool = ARGV[3], session = ARGV[4], hidden = ARGV[6], status = 'working', log = '',
  labels = ARGV[6] .. ARGV[3] .. '\n' .. ARGV[4] .. '\n' .. ARGV[5] }
-- The key that says that the namespace is there counts twice, so one command tells both.
local meta = string.sub(P, 1, -3) .. 'meta'
local known = call('EXISTS', key, meta, meta)
if known ~= 2 then return { known == 0 and 'no_namespace' or 'exists' } end
if call('ZLEXCOUNT', INDEX, '[' .. counted, '(' .. counted .. ';') >= tonumber(ARGV[9]) then return { 'too_many' } end
if worker then
  local words, tools = { 'XREAD', 'COUNT', '1', 'STREAMS' }, #ARGV - 11
  for at = 1, tools do words[4 + at], words[4 + tools + at] = P .. 'ready:' .. ARGV[11 + at], '0' end
  -- Nothing, where all of them are empty. What is not as it should be is for `claim` to set right.
  local score = not try(unpack(words)) and try('ZSCORE', P .. 'leases', worker)
  lease = type(score) == 'string' and tonumber(score) or 0
end
local at, claimed, entry = emit(task, 'submitted', ''), nil, ''
if lease > tonumber(at) and type(try('SADD', P .. 'held:' .. worker, id)) == 'number' then
  undo = { undo, P .. 'held:' .. worker, id, 'SREM' }
  claimed = emit(task, 'claimed', ARGV[11])
else
  local ready = P .. 'ready:' .. ARGV[3]
  entry = try('XADD', ready, '*', 'task', id)
  if type(entry) == 'string' then
    undo = { undo, ready, entry }
  else
    seldom().own('ready:' .. ARGV[3], 'stream', entry)
    seldom().enqueue(task)
    entry = task.entry
  end
end
-- By these people find it, page through its scope and session, and count it as one of its scope.
local place = (#at == 13 and '00' .. at or string.format('%015d', at)) .. ':' .. id
local found, ends = (ARGV[6] == '1' and 'h:' or 'l:') .. place, ttl ~= '' and string.format('d:%015d:t:', at + ttl) .. id
call('ZADD', INDEX, '0', 'i:' .. id, '0', found, '0', counted .. place, '0', ends or found)
if ARGV[6] ~= '1' and (ARGV[4] ~= '' or ARGV[5] ~= 'anonymous') then
  task.scope, task.place = ARGV[5], place
  local members = {}
  labels(task, members)
  call('ZADD', INDEX, '0', members[1], '0', members[2] or members[1])
end
if claimed then
  call('HSET', key, 'new', ARGV[2], 'labels', task.labels, 'ttl', ttl, 'most', ARGV[8], 'status', 'working', 'created', at,
    'updated', claimed, 'attempt', '1', 'asked', '0', 'open', '0', 'entry', '', 'log', task.log, 'worker', worker,
    'claimed', claimed)
else
  call('HSET', key, 'new', ARGV[2], 'labels', task.labels, 'ttl', ttl, 'most', ARGV[8], 'status', 'working', 'created', at,
    'updated', at, 'attempt', '0', 'asked', '0', 'open', '0', 'entry', entry, 'log', task.log)
end
return { 'ok', at, claimed }
