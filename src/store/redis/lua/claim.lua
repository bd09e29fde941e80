-- Claims the oldest unclaimed tasks of some tools.
-- ARGV: worker, most, what the event's detail begins with, tool...
-- Returns: {'no_lease'}, where nothing was claimed | {'ok', whether more is queued 0|1, {key that was made anew...},
--          {id, field, value...}..., then {id, '', problem} for what cannot be read}
local worker, most = ARGV[1], tonumber(ARGV[2])
-- Leases that are of another type are made anew when the worker is enlisted again.
local score = try('ZSCORE', P .. 'leases', worker)
local lease = type(score) == 'string' and tonumber(score) or 0
if lease == 0 then return { 'no_lease' } end
local anew = {}
local reply, waiting, streams = { 'ok', 0, anew }, {}, {}
-- One more than is wanted, which tells whether that is all.
local looked_at = whole(most + 1)
for tool = 4, #ARGV do streams[tool - 3] = P .. 'ready:' .. ARGV[tool] end

-- The oldest entries of some queues, or nil where one of them is no queue.
local function entries(names)
  for first = 1, #names, WORDS do
    local last = math.min(first + WORDS - 1, #names)
    local words = { 'XREAD', 'COUNT', looked_at, 'STREAMS', unpack(names, first, last) }
    for _ = first, last do words[#words + 1] = '0' end
    local read = try(unpack(words))
    if read and read.err then return nil end
    for _, stream in ipairs(read or {}) do
      for _, entry in ipairs(stream[2]) do
        waiting[#waiting + 1] = { stream = stream[1], entry = entry[1], id = entry[2][2] }
      end
    end
  end
  return true
end

if not entries(streams) then
  waiting = {}
  for at, stream in ipairs(streams) do
    if not entries({ stream }) and own('ready:' .. ARGV[at + 3], 'stream') then
      anew[#anew + 1] = 'ready:' .. ARGV[at + 3]
    end
  end
end
if #waiting > 1 and #streams > 1 then
  for _, next in ipairs(waiting) do
    local millis, sequence = string.match(next.entry, '(%d+)-(%d+)')
    next.millis, next.sequence = tonumber(millis), tonumber(sequence)
  end
  table.sort(waiting, function(one, other)
    if one.millis ~= other.millis then return one.millis < other.millis end
    return one.sequence < other.sequence
  end)
end

-- What an earlier attempt left.
local KEPT = { 'message', 'progress', 'failure' }

-- Claims one task that can be read; nil when the worker's lease has ended by the time of the claim.
local function take(task, values, next)
  local attempt, key = whole(1 + task.attempt), P .. 'task:' .. task.id
  local at = emit(task, 'claimed', ARGV[3] .. attempt .. '}')
  if lease <= tonumber(at) then return nil end
  local held = 'held:' .. worker
  local added = try('SADD', P .. held, task.id)
  if type(added) == 'table' then
    own(held, 'set', added)
    call('SADD', P .. held, task.id)
    anew[#anew + 1] = held
  end
  call('XDEL', next.stream, next.entry)
  call('HSET', key, 'worker', worker, 'attempt', attempt, 'claimed', at, 'updated', at, 'entry', '', 'log', task.log)
  if task.asked ~= '0' then
    local fields = call('HGETALL', key)
    table.insert(fields, 1, task.id)
    return fields
  end
  local fields = { task.id, 'attempt', attempt, 'status', task.status, 'claimed', at, 'created', values[5], 'new',
    values[10] or '', 'ttl', values[11] or '' }
  for place, name in ipairs(KEPT) do
    if values[11 + place] then
      fields[#fields + 1] = name
      fields[#fields + 1] = values[11 + place]
    end
  end
  return fields
end

local taken = 0
for _, next in ipairs(waiting) do
  if taken == most then
    reply[2] = 1
    break
  end
  local task, values = load(next.id, 'new', 'ttl', 'message', 'progress', 'failure')
  if task and not is_final(task.status) and task.worker == '' then
    local fields = take(task, values, next)
    if not fields then
      -- Only the event was written. What was claimed before is the worker's all the same.
      undo[#undo]()
      if taken == 0 then return { 'no_lease' } end
      break
    end
    taken = taken + 1
    reply[#reply + 1] = fields
  else
    -- Ended, claimed or gone meanwhile, only a wake-up, or nothing that anybody can run.
    call('XDEL', next.stream, next.entry)
    if values[1] == 'unreadable' then reply[#reply + 1] = { next.id, '', values[2] } end
  end
end
return reply
