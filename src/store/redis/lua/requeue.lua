-- Gives a claimed task back: queued, or parked while questions are open, or failed when its attempts are
-- used up.
-- ARGV: id, attempt, reason, counts 0|1, outcome (JSON) and event detail (JSON) of giving up
-- Returns: {'ok'} | {'no_task'} | {'lost', now}
local task = load(ARGV[1])
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local at = now()
if ARGV[4] == '1' then
  local failures = task.failures + 1
  redis.call('HSET', key(task.id), 'failures', failures, 'failure', ARGV[3])
  if failures >= task.most then
    redis.call('HSET', key(task.id), 'outcome', ARGV[5])
    finish(task, at, 'failed')
    emit(task, at, 'failed', ARGV[6])
    return { 'ok' }
  end
end
release(task)
redis.call('HSET', key(task.id), 'updated', at)
if task.open == 0 then
  set_status(task, 'working')
  enqueue(task)
end
emit(task, at, 'requeued', '{"reason":' .. cjson.encode(ARGV[3]) .. '}')
return { 'ok' }
