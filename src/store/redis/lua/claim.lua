-- Claims the oldest unclaimed tasks of some tools.
-- ARGV: worker, most, tool...
-- Returns: {'no_lease'} | {'ok', {id, field, value...}..., then {id, '', problem} for what cannot be read}
local worker, most = ARGV[1], tonumber(ARGV[2])
local lease = tonumber(call('ZSCORE', LEASES, worker) or '0')
if lease == 0 then return { 'no_lease' } end
local reply, waiting, streams = { 'ok' }, {}, {}
for tool = 3, #ARGV do streams[tool - 2] = P .. 'ready:' .. ARGV[tool] end

-- The oldest entries of some queues, or nil where one of them is no queue.
local function entries(names)
  local words = { 'XREAD', 'COUNT', most, 'STREAMS', unpack(names) }
  for _ = 1, #names do words[#words + 1] = '0' end
  local read = try(unpack(words))
  if read and read.err then return nil end
  for _, stream in ipairs(read or {}) do
    for _, entry in ipairs(stream[2]) do
      local millis, sequence = string.match(entry[1], '(%d+)-(%d+)')
      waiting[#waiting + 1] = { stream = stream[1], entry = entry[1], id = entry[2][2], millis = tonumber(millis),
        sequence = tonumber(sequence) }
    end
  end
  return true
end

if not entries(streams) then
  for at, stream in ipairs(streams) do
    if not entries({ stream }) then
      reply[#reply + 1] = { ARGV[at + 2], '', 'its ready queue is a ' .. call('TYPE', stream).ok .. ', not a stream' }
    end
  end
end
table.sort(waiting, function(one, other)
  if one.millis ~= other.millis then return one.millis < other.millis end
  return one.sequence < other.sequence
end)

local MORE = { 'new', 'message', 'progress', 'failure' }

-- Claims one task that can be read; false when the worker's lease has ended by the time of the claim.
local function take(task, next)
  local attempt = task.attempt + 1
  local at = emit(task, 'claimed', '{"worker":' .. cjson.encode(worker) .. ',"attempt":' .. whole(attempt) .. '}')
  if lease <= at then return false end
  call('SADD', P .. 'held:' .. worker, task.id)
  undone_by(function() call('SREM', P .. 'held:' .. worker, task.id) end)
  call('XDEL', next.stream, next.entry)
  undone_by(function() call('HSET', key(task.id), 'entry', call('XADD', next.stream, '*', 'task', task.id)) end)
  call('HSET', key(task.id), 'worker', worker, 'attempt', whole(attempt), 'claimed', whole(at), 'updated', whole(at),
    'entry', '', 'log', task.log)
  undone_by(function()
    call('HSET', key(task.id), 'worker', '', 'attempt', whole(task.attempt), 'claimed', '')
  end)
  local fields
  if task.asked > 0 then
    fields = call('HGETALL', key(task.id))
  else
    fields = { 'status', task.status, 'attempt', whole(attempt), 'worker', worker, 'claimed', whole(at), 'updated',
      whole(at), 'created', whole(task.created), 'asked', '0' }
    for place, name in ipairs(MORE) do
      fields[#fields + 1] = name
      fields[#fields + 1] = task.more[place] or ''
    end
  end
  table.insert(fields, 1, task.id)
  return fields
end

local taken = 0
for _, next in ipairs(waiting) do
  if taken == most then break end
  local task, problem = load(next.id, MORE)
  if task and not is_final(task.status) and task.worker == '' then
    local fields = take(task, next)
    if not fields then
      for step = #undo, 1, -1 do undo[step]() end
      return { 'no_lease' }
    end
    taken = taken + 1
    reply[#reply + 1] = fields
  else
    -- Ended, claimed or gone meanwhile, only a wake-up, or nothing that anybody can run.
    call('XDEL', next.stream, next.entry)
    if problem and problem[1] == 'unreadable' then reply[#reply + 1] = { next.id, '', problem[2] } end
  end
end
return reply
