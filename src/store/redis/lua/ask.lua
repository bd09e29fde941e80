-- Asks questions at consecutive positions; those asked before return what the journal has.
-- ARGV: id, attempt, first, timeout ms or '', most open, then for each question: ask (JSON), sum
-- Returns: {'ok', {ask, at, until, answer, answered at}...} with '' for what is not there
--        | {'no_task'} | {'lost', now} | {'differs', position} | {'too_many'} | {'gap', asked}
local task = load(ARGV[1])
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local first, count = tonumber(ARGV[3]), (#ARGV - 5) / 2
if first > task.asked + 1 then return { 'gap', task.asked } end
for step = 0, count - 1 do
  local position = first + step
  if position <= task.asked and redis.call('HGET', key(task.id), 'q' .. position .. '.sum') ~= ARGV[7 + 2 * step] then
    return { 'differs', position }
  end
end
local fresh = math.max(0, first + count - 1 - task.asked)
if task.open + fresh > tonumber(ARGV[5]) then return { 'too_many' } end
local at, due = now(), ''
if ARGV[4] ~= '' then due = at + tonumber(ARGV[4]) end
-- Past the end of time is never.
if due ~= '' and due > LAST_MS then due = '' end
if fresh > 0 then
  redis.call('HSET', key(task.id), 'asked', task.asked + fresh, 'open', task.open + fresh, 'updated', at)
  set_status(task, 'input_required')
end
local reply = { 'ok' }
for step = 0, count - 1 do
  local position, ask = first + step, ARGV[6 + 2 * step]
  local q, a = 'q' .. position, 'a' .. position
  if position > task.asked then
    redis.call('HSET', key(task.id), q, ask, q .. '.at', at, q .. '.until', due, q .. '.sum', ARGV[7 + 2 * step])
    if due ~= '' then redis.call('ZADD', P .. 'deadlines', due, 'q:' .. task.id .. ':' .. position) end
    emit(task, at, 'asked', ask, 'position', position, 'until', due)
  end
  local known = redis.call('HMGET', key(task.id), q, q .. '.at', q .. '.until', a, a .. '.at')
  for field = 1, 5 do known[field] = known[field] or '' end
  reply[#reply + 1] = known
end
return reply
