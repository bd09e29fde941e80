-- Gives a claimed task back: queued, now or after a delay, or parked while questions are open, or ended when
-- its attempts are used up.
-- ARGV: id, attempt, reason, counts 0|1, delay ms or '', then for the end: status, outcome (JSON), event kind,
--       event detail (JSON)
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, values = load_to_end(ARGV[1], 'failures', 'most')
if not task then return values end
if task.is_final or task.attempt ~= ARGV[2] or task.worker == '' then return seldom().refused(task, ARGV[2]) end
local failed = {}
if ARGV[4] == '1' then
  local failures = (seldom().within(values[12], MOST_COUNTED) or 0) + 1
  failed = { 'failures', whole(failures), 'failure', ARGV[3] }
  if failures >= (seldom().within(values[13], MOST_COUNTED) or 1) then
    conclude(task, ARGV[6], ARGV[8], ARGV[9], 'outcome', ARGV[7], unpack(failed))
    return { 'ok' }
  end
end
if task.open == '0' then task.status = 'working' end
local at, resume = emit(task, 'requeued', '{"reason":' .. cjson.encode(ARGV[3]) .. '}'), ''
if task.open == '0' then
  if ARGV[5] == '' then
    seldom().enqueue(task)
  else
    local due = tonumber(at) + tonumber(ARGV[5])
    resume = whole(due)
    call('ZADD', INDEX, '0', 'd:' .. digits(due) .. ':r:' .. task.id)
  end
end
call('HSET', P .. 'task:' .. task.id, 'status', task.status, 'updated', at, 'worker', '', 'entry',
  task.entry, 'resume', resume, 'log', task.log, unpack(failed))
try('SREM', P .. 'held:' .. task.worker, task.id)
return { 'ok' }
