-- Stores a task and queues it.
-- ARGV: id, new (JSON), tool, session or '', scope, hidden 0|1, ttl ms or '', most attempts, most open tasks
-- Returns: {'ok', at} | {'exists'} | {'too_many'}
local task = { id = ARGV[1], tool = ARGV[3], session = ARGV[4], scope = ARGV[5], hidden = ARGV[6], status = 'working',
  log = '' }
if call('EXISTS', key(task.id)) == 1 then return { 'exists' } end
if count(task.scope, 1) > tonumber(ARGV[9]) then
  undo[#undo]()
  return { 'too_many' }
end
local at = emit(task, 'submitted', '')
task.created = at
enqueue(task)
local members = { 'i:' .. task.id, live(task) }
labels(task, members)
if ARGV[7] ~= '' then members[#members + 1] = deadline(at + tonumber(ARGV[7]), 't', task.id) end
index(members)
call('HSET', key(task.id), 'new', ARGV[2], 'tool', task.tool, 'session', task.session, 'scope', task.scope,
  'hidden', task.hidden, 'ttl', ARGV[7], 'most', ARGV[8], 'status', 'working', 'created', whole(at),
  'updated', whole(at), 'attempt', 0, 'failures', 0, 'asked', 0, 'open', 0, 'entry', task.entry, 'log', task.log)
return { 'ok', whole(at) }
