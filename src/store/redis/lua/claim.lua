-- Claims the oldest unclaimed tasks of some tools.
-- ARGV: worker, most, what the event's detail begins with, tool...
-- Returns: {'no_lease'}, where nothing was claimed | {'ok', whether more is queued 0|1, {key that was made anew...},
--          {id, field, value...}..., then {id, '', problem} for what cannot be read}
local worker, most = ARGV[1], tonumber(ARGV[2])
-- Leases that are of another type are made anew when the worker is enlisted again.
local score = try('ZSCORE', P .. 'leases', worker)
local lease = type(score) == 'string' and tonumber(score) or 0
if lease == 0 then return { 'no_lease' } end
local anew, held = {}, 'held:' .. worker
local reply = { 'ok', 0, anew }

-- Adds the oldest entries of the queues of these tools, as streams and their entries; false where one of them is no
-- queue. One more entry than is wanted, which tells whether that is all.
local function entries(streams, first, last)
  if last - first >= WORDS then
    return entries(streams, first, first + WORDS - 1) and entries(streams, first + WORDS, last)
  end
  local words, count = { 'XREAD', 'COUNT', whole(most + 1), 'STREAMS' }, last - first + 1
  for at = 1, count do words[4 + at], words[4 + count + at] = P .. 'ready:' .. ARGV[first + at - 1], '0' end
  local read = try(unpack(words))
  if read and read.err then return false end
  for at = 1, read and #read or 0 do streams[#streams + 1] = read[at] end
  return true
end

local streams = {}
if not entries(streams, 4, #ARGV) then
  streams = {}
  for at = 4, #ARGV do
    if not entries(streams, at, at) and seldom().own('ready:' .. ARGV[at], 'stream') then
      anew[#anew + 1] = 'ready:' .. ARGV[at]
    end
  end
end
-- Each is its id and its fields, and a third, where there are several queues: which it is of.
local waiting = streams[1] and streams[1][2] or {}
if #streams > 1 then
  waiting = {}
  local places = {}
  for _, stream in ipairs(streams) do
    for _, next in ipairs(stream[2]) do
      local millis, sequence = string.match(next[1], '(%d+)-(%d+)')
      places[next] = { tonumber(millis), tonumber(sequence) }
      next[3] = stream[1]
      waiting[#waiting + 1] = next
    end
  end
  table.sort(waiting, function(one, other)
    one, other = places[one], places[other]
    if one[1] ~= other[1] then return one[1] < other[1] end
    return one[2] < other[2]
  end)
end

local taken = 0
for _, next in ipairs(waiting) do
  if taken == most then
    reply[2] = 1
    break
  end
  local id, stream, before = next[2][2], next[3] or streams[1][1], undo
  local task, values = load(id, 'new', 'ttl')
  if task and not task.is_final and task.worker == '' then
    local attempt, key = whole(1 + task.attempt), P .. 'task:' .. id
    local at = emit(task, 'claimed', ARGV[3] .. attempt .. '}')
    if lease <= tonumber(at) then
      -- The lease has ended by now, and only the event was written. What was claimed before is the worker's all the same.
      seldom().take_back(before)
      if taken == 0 then return { 'no_lease' } end
      break
    end
    local added = try('SADD', P .. held, id)
    if type(added) == 'table' then
      seldom().own(held, 'set', added)
      call('SADD', P .. held, id)
      anew[#anew + 1] = held
    end
    call('XDEL', stream, next[1])
    call('HSET', key, 'worker', worker, 'attempt', attempt, 'claimed', at, 'updated', at, 'entry', '', 'log', task.log)
    taken = taken + 1
    if task.attempt == '0' and task.asked == '0' then
      reply[#reply + 1] = { id, 'attempt', attempt, 'status', task.status, 'claimed', at, 'created', task.created, 'new',
        values[10] or '', 'ttl', values[11] or '' }
    else
      -- What an earlier attempt left, and the journal.
      local fields = call('HGETALL', key)
      table.insert(fields, 1, id)
      reply[#reply + 1] = fields
    end
  else
    -- Ended, claimed or gone meanwhile, only a wake-up, or nothing that anybody can run.
    call('XDEL', stream, next[1])
    if values[1] == 'unreadable' then reply[#reply + 1] = { id, '', values[2] } end
  end
end
return reply
