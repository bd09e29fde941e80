-- Asks questions at consecutive positions; those asked before return what the journal has.
-- ARGV: id, attempt, first, timeout ms or '', most open, most of a task, then for each question: ask (JSON), sum, event detail
-- Returns: {'ok', at or '', until or '', {ask, at, until, answer, answered at}... of those asked before}
--        | {'no_task'} | {'unreadable', problem} | {'lost', now} | {'differs', position} | {'too_many', limit}
--        | {'gap', asked}
local first, asks, timeout = tonumber(ARGV[3]), (#ARGV - 6) / 3, ARGV[4]
local task, values = load(ARGV[1], 'q' .. ARGV[3] .. '.sum')
if not task then return values end
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
if first > task.asked + 1 then return { 'gap', task.asked } end
local reply, key, sums = { 'ok', '', '' }, P .. 'task:' .. task.id, { values[13] }
if asks > 1 then
  for step = 0, asks - 1 do sums[step + 1] = 'q' .. (first + step) .. '.sum' end
  sums = call('HMGET', key, unpack(sums))
end
for step = 0, asks - 1 do
  if first + step <= task.asked and sums[step + 1] ~= ARGV[8 + 3 * step] then return { 'differs', first + step } end
end
local fresh = math.max(0, first + asks - 1 - task.asked)
if task.open + fresh > tonumber(ARGV[5]) then return { 'too_many', ARGV[5] } end
if fresh > 0 and task.asked + fresh > tonumber(ARGV[6]) then return { 'too_many', ARGV[6] } end
for position = first, math.min(task.asked, first + asks - 1) do
  local q, a = 'q' .. position, 'a' .. position
  local known = call('HMGET', key, q, q .. '.at', q .. '.until', a, a .. '.at')
  for field = 1, 5 do known[field] = known[field] or '' end
  reply[#reply + 1] = known
end
if fresh == 0 then return reply end

task.status = 'input_required'
local at, due, until_ms, members, fields = nil, '', '', {}, {}
if task.open == 0 and task.hidden ~= '1' then members = { '0', 'a:' .. task.place } end
for step = asks - fresh, asks - 1 do
  local position = whole(first + step)
  local time = emit(task, 'asked', ARGV[9 + 3 * step], 'position', position, 'timeout', timeout)
  if not at then
    at = time
    if timeout ~= '' then due = tonumber(at) + tonumber(timeout) end
    -- Past the end of time is never.
    if due ~= '' and due > LAST_MS then due = '' end
    until_ms = due ~= '' and whole(due) or ''
  end
  if due ~= '' then
    members[#members + 1] = '0'
    members[#members + 1] = 'd:' .. digits(due) .. ':q:' .. task.id .. ':' .. position
  end
  local q, place = 'q' .. position, #fields
  fields[place + 1], fields[place + 2] = q, ARGV[7 + 3 * step]
  fields[place + 3], fields[place + 4] = q .. '.at', at
  fields[place + 5], fields[place + 6] = q .. '.until', until_ms
  fields[place + 7], fields[place + 8] = q .. '.sum', ARGV[8 + 3 * step]
end
if #members > 0 then call('ZADD', INDEX, unpack(members)) end
call('HSET', key, 'asked', whole(task.asked + fresh), 'open', whole(task.open + fresh), 'updated', at, 'status', task.status,
  'log', task.log, unpack(fields))
reply[2], reply[3] = at, until_ms
return reply
