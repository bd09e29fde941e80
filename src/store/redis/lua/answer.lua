-- Answers a question, if nobody has.
-- ARGV: id, position, answer (JSON), event detail (JSON)
-- Returns: {'ok', at} | {'no_task'} | {'no_question'} | {'answered', answer (JSON), at} | {'ended', status}
local task, position = load(ARGV[1]), ARGV[2]
if not task then return { 'no_task' } end
local q, a = 'q' .. position, 'a' .. position
local known = redis.call('HMGET', key(task.id), q .. '.at', a, a .. '.at')
if not known[1] then return { 'no_question' } end
if known[2] then return { 'answered', known[2], known[3] } end
if is_final(task.status) then return { 'ended', task.status } end
local at = now()
redis.call('HSET', key(task.id), a, ARGV[3], a .. '.at', at, 'open', task.open - 1, 'updated', at)
redis.call('ZREM', P .. 'deadlines', 'q:' .. task.id .. ':' .. position)
if task.open == 1 then
  set_status(task, 'working')
  if task.worker == '' and task.entry == '' then enqueue(task) end
end
emit(task, at, 'answered', ARGV[4])
return { 'ok', at }
