-- Queues a task whose delay is over; does nothing to another.
-- ARGV: id
-- Returns: {'ok'} | {'unreadable', problem}
local task, problem = load(ARGV[1])
if not task then return problem[1] == 'no_task' and { 'ok' } or problem end
local due = tonumber(task.resume)
if not due or due > now() or is_final(task.status) or task.worker ~= '' then return { 'ok' } end
local at = emit(task, 'requeued', '{"reason":"the pause before the next attempt is over"}')
unindex({ deadline(due, 'r', task.id) })
if task.entry == '' then enqueue(task) end
call('HSET', key(task.id), 'updated', whole(at), 'resume', '', 'entry', task.entry, 'log', task.log)
return { 'ok' }
