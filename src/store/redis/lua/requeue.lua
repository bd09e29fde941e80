-- Gives a claimed task back: queued, now or after a delay, or parked while questions are open, or ended when
-- its attempts are used up.
-- ARGV: id, attempt, reason, counts 0|1, delay ms or '', then for the end: status, outcome (JSON), event kind,
--       event detail (JSON)
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem} | {'lost', now}
local task, problem = load(ARGV[1])
if not task then return problem end
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local failed = {}
if ARGV[4] == '1' then
  failed = { 'failures', whole(task.failures + 1), 'failure', ARGV[3] }
  if task.failures + 1 >= task.most then
    conclude(task, ARGV[6], ARGV[8], ARGV[9], 'outcome', ARGV[7], unpack(failed))
    return { 'ok' }
  end
end
if task.open == 0 then task.status = 'working' end
local at, resume = emit(task, 'requeued', '{"reason":' .. cjson.encode(ARGV[3]) .. '}'), ''
if task.open == 0 then
  if ARGV[5] == '' then
    enqueue(task)
  else
    resume = whole(at + tonumber(ARGV[5]))
    index({ deadline(tonumber(resume), 'r', task.id) })
  end
end
call('HSET', key(task.id), 'status', task.status, 'updated', whole(at), 'worker', '', 'claimed', '', 'entry', task.entry,
  'resume', resume, 'log', task.log, unpack(failed))
try('SREM', P .. 'held:' .. task.worker, task.id)
return { 'ok' }
