-- Answers a question, if nobody has.
-- ARGV: id, position, answer (JSON), event detail (JSON), whether it is the question's own at its end: 0|1
-- Returns: {'ok', at} | {'no_task'} | {'unreadable', problem} | {'no_question'} | {'answered', answer (JSON), at}
--        | {'ended', status} | {'longer', until}, where the question was extended and has not ended
local q, a = 'q' .. ARGV[2], 'a' .. ARGV[2]
local task, values = load(ARGV[1], q .. '.at', q .. '.until', a, q .. '.remind')
if not task then return values end
-- A question that lost a part is one all the same: whoever waits for its answer gets one.
local key = P .. 'task:' .. task.id
if not (values[10] or values[11]) and call('HEXISTS', key, q .. '.sum') == 0 then return { 'no_question' } end
if (values[12] or '') ~= '' then return { 'answered', values[12], call('HGET', key, a .. '.at') or '' } end
if task.is_final then return { 'ended', task.status } end
if ARGV[5] == '1' and (seldom().within(values[11], LAST_MS) or 0) > now() then return { 'longer', values[11] } end
local open = tonumber(task.open)
local is_last = open <= 1
if is_last then task.status = 'working' end
local at, due = emit(task, 'answered', ARGV[4]), values[11]
due = due and #due == 13 and not string.find(due, '%D') and '00' .. due or seldom().deadline(due)
if is_last and task.worker == '' and task.entry == '' then seldom().enqueue(task) end
local gone = due and 'd:' .. due .. ':q:' .. task.id .. ':' .. ARGV[2]
if is_last and task.hidden ~= '1' then
  call('ZREM', INDEX, 'a:' .. task.place, gone or 'a:' .. task.place)
elseif gone then
  call('ZREM', INDEX, gone)
end
local remind = values[13] and seldom().deadline(values[13])
if remind then call('ZREM', INDEX, 'd:' .. remind .. ':m:' .. task.id .. ':' .. ARGV[2]) end
call('HSET', key, a, ARGV[3], a .. '.at', at, 'open', is_last and '0' or whole(open - 1), 'updated', at,
  'status', task.status, 'entry', task.entry, 'log', task.log)
return { 'ok', at }
