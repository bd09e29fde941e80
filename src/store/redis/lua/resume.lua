-- Queues a task whose delay is over; does nothing to another.
-- ARGV: id
-- Returns: {'ok'} | {'unreadable', problem}
local task, values = load(ARGV[1], 'resume')
if not task then return values[1] == 'no_task' and { 'ok' } or values end
local due = seldom().within(values[10], LAST_MS)
if not due or due > now() or task.is_final or task.worker ~= '' then return { 'ok' } end
local at = emit(task, 'requeued', '{"reason":"the pause before the next attempt is over"}')
if task.entry == '' then seldom().enqueue(task) end
call('ZREM', INDEX, 'd:' .. digits(due) .. ':r:' .. task.id)
call('HSET', P .. 'task:' .. task.id, 'updated', at, 'resume', '', 'entry', task.entry, 'log', task.log)
return { 'ok' }
