-- Gives a claimed task back: queued, now or after a delay, or parked while questions are open, or ended when
-- its attempts are used up.
-- ARGV: id, attempt, reason, counts 0|1, delay ms or '', then for the end: status, outcome (JSON), event kind,
--       event detail (JSON)
-- Returns: {'ok'} | {'no_task'} | {'lost', now}
local task = load(ARGV[1])
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local at = now()
if ARGV[4] == '1' then
  local failures = task.failures + 1
  redis.call('HSET', key(task.id), 'failures', failures, 'failure', ARGV[3])
  if failures >= task.most then
    redis.call('HSET', key(task.id), 'outcome', ARGV[7])
    finish(task, at, ARGV[6])
    emit(task, at, ARGV[8], ARGV[9])
    return { 'ok' }
  end
end
release(task)
redis.call('HSET', key(task.id), 'updated', at)
if task.open == 0 then
  set_status(task, 'working')
  if ARGV[5] == '' then
    enqueue(task)
  else
    redis.call('ZADD', P .. 'deadlines', at + tonumber(ARGV[5]), 'd:' .. task.id)
  end
end
emit(task, at, 'requeued', '{"reason":' .. cjson.encode(ARGV[3]) .. '}')
return { 'ok' }
