-- Asks questions at consecutive positions; those asked before return what the journal has.
-- ARGV: id, attempt, first, timeout ms or '', then for each question: ask (JSON), sum, event detail
-- Returns: {'ok', at or '', until or '', {ask, at, until, answer, answered at}... of those asked before}
--        | {'no_task'} | {'unreadable', problem} | {'lost', now} | {'differs', position} | {'too_many', limit}
--        | {'gap', asked}
local MOST_OPEN, MOST_ASKED = 64, 10000
local first, asks, timeout = tonumber(ARGV[3]), (#ARGV - 4) / 3, ARGV[4]
local task, values = load(ARGV[1], 'q' .. ARGV[3] .. '.sum')
if not task then return values end
local refusal = refused(task, ARGV[2])
if refusal then return refusal end
local asked, open = tonumber(task.asked), tonumber(task.open)
if first > asked + 1 then return { 'gap', asked } end
local reply, key, sums = { 'ok', '', '' }, P .. 'task:' .. task.id, { values[10] }
if asks > 1 then
  for step = 0, asks - 1 do sums[step + 1] = 'q' .. (first + step) .. '.sum' end
  sums = call('HMGET', key, unpack(sums))
end
for step = 0, asks - 1 do
  if first + step <= asked and sums[step + 1] ~= ARGV[6 + 3 * step] then return { 'differs', first + step } end
end
local fresh = math.max(0, first + asks - 1 - asked)
if open + fresh > MOST_OPEN then return { 'too_many', MOST_OPEN } end
if fresh > 0 and asked + fresh > MOST_ASKED then return { 'too_many', MOST_ASKED } end
for position = first, math.min(asked, first + asks - 1) do
  local q, a = 'q' .. position, 'a' .. position
  local known = call('HMGET', key, q, q .. '.at', q .. '.until', a, a .. '.at')
  for field = 1, 5 do known[field] = known[field] or '' end
  reply[#reply + 1] = known
end
if fresh == 0 then return reply end

task.status = 'input_required'
local at, due, until_ms, members, fields = nil, nil, '', {}, {}
if open == 0 and task.hidden ~= '1' then members = { '0', 'a:' .. task.place } end
for step = asks - fresh, asks - 1 do
  local position = step == 0 and ARGV[3] or whole(first + step)
  local time = emit(task, 'asked', ARGV[7 + 3 * step], 'position', position, 'timeout', timeout)
  if not at then
    at = time
    -- Past the end of time is never.
    local ends = timeout ~= '' and at + timeout
    if ends and ends <= LAST_MS then
      until_ms = whole(ends)
      due = padded(until_ms)
    end
  end
  if due then
    members[#members + 1] = '0'
    members[#members + 1] = 'd:' .. due .. ':q:' .. task.id .. ':' .. position
  end
  local q, place = 'q' .. position, #fields
  fields[place + 1], fields[place + 2] = q, ARGV[5 + 3 * step]
  fields[place + 3], fields[place + 4] = q .. '.at', at
  fields[place + 5], fields[place + 6] = q .. '.until', until_ms
  fields[place + 7], fields[place + 8] = q .. '.sum', ARGV[6 + 3 * step]
end
if #members > 0 then call('ZADD', INDEX, unpack(members)) end
call('HSET', key, 'asked', whole(asked + fresh), 'open', whole(open + fresh), 'updated', at, 'status', task.status,
  'log', task.log, unpack(fields))
reply[2], reply[3] = at, until_ms
return reply
