-- Says of an open question that nobody at its task's client can answer it; does nothing to another.
-- ARGV: id, position, how many bytes of a question the log repeats, why
-- Returns: {'ok'} | {'no_task'} | {'unreadable', problem}
local q, a = 'q' .. ARGV[2], 'a' .. ARGV[2]
local task, values = load(ARGV[1], q, q .. '.at', q .. '.until', a)
if not task then return values end
local asked = values[10] or ''
if task.is_final or asked == '' or (values[13] or '') ~= '' then return { 'ok' } end
emit(task, 'unanswerable', #asked <= tonumber(ARGV[3]) and asked or '', 'position', ARGV[2], 'asked', values[11] or '',
  'until', values[12] or '', 'reason', ARGV[4])
call('HSET', P .. 'task:' .. task.id, 'log', task.log)
return { 'ok' }
