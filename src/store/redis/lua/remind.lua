-- Tells once more of an open question whose reminder is due, once; does nothing to another.
-- ARGV: id, position, how many bytes of a question the log repeats
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem}
local q, a = 'q' .. ARGV[2], 'a' .. ARGV[2]
local task, values = load(ARGV[1], q, q .. '.at', q .. '.until', q .. '.remind', a)
if not task then return values end
local due = seldom().within(values[13], LAST_MS)
if not due or due > now() or task.is_final or (values[14] or '') ~= '' then return { 'ok' } end
local asked = values[10] or ''
emit(task, 'reminded', #asked <= tonumber(ARGV[3]) and asked or '', 'position', ARGV[2], 'asked', values[11] or '', 'until',
  values[12] or '')
call('ZREM', INDEX, 'd:' .. digits(due) .. ':m:' .. task.id .. ':' .. ARGV[2])
call('HSET', P .. 'task:' .. task.id, q .. '.remind', '', 'log', task.log)
return { 'ok' }
