-- Answers a question, if nobody has.
-- ARGV: id, position, answer (JSON), event detail (JSON)
-- Returns: {'ok', at} | {'no_task'} | {'unreadable', problem} | {'no_question'} | {'answered', answer (JSON), at}
--        | {'ended', status}
local q, a = 'q' .. ARGV[2], 'a' .. ARGV[2]
local task, values = load(ARGV[1], q .. '.at', q .. '.until', a, a .. '.at')
if not task then return values end
if not values[13] then return { 'no_question' } end
if values[15] then return { 'answered', values[15], values[16] } end
if is_final(task.status) then return { 'ended', task.status } end
local is_last = task.open <= 1
if is_last then task.status = 'working' end
local at, due = emit(task, 'answered', ARGV[4]), tonumber(values[14] or '')
if is_last and task.worker == '' and task.entry == '' then enqueue(task) end
local gone = due and 'd:' .. digits(due) .. ':q:' .. task.id .. ':' .. ARGV[2]
if is_last and task.hidden ~= '1' then
  call('ZREM', INDEX, 'a:' .. task.place, gone or 'a:' .. task.place)
elseif gone then
  call('ZREM', INDEX, gone)
end
call('HSET', P .. 'task:' .. task.id, a, ARGV[3], a .. '.at', at, 'open', whole(math.max(0, task.open - 1)), 'updated', at,
  'status', task.status, 'entry', task.entry, 'log', task.log)
return { 'ok', at }
