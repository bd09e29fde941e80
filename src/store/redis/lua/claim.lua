-- Claims the oldest unclaimed tasks of some tools.
-- ARGV: worker, most, tool...
-- Returns: one hash for each claimed task
local worker, most, at = ARGV[1], tonumber(ARGV[2]), now()
local waiting = {}
for tool = 3, #ARGV do
  for _, entry in ipairs(redis.call('XRANGE', P .. 'ready:' .. ARGV[tool], '-', '+', 'COUNT', most)) do
    local millis, sequence = string.match(entry[1], '(%d+)-(%d+)')
    waiting[#waiting + 1] = { tool = ARGV[tool], entry = entry[1], id = entry[2][2],
      millis = tonumber(millis), sequence = tonumber(sequence) }
  end
end
table.sort(waiting, function(one, other)
  if one.millis ~= other.millis then return one.millis < other.millis end
  return one.sequence < other.sequence
end)
local claimed = {}
for _, next in ipairs(waiting) do
  if #claimed == most then break end
  redis.call('XDEL', P .. 'ready:' .. next.tool, next.entry)
  local task = load(next.id)
  if task and not is_final(task.status) and task.worker == '' then
    local attempt = task.attempt + 1
    redis.call('HSET', key(task.id), 'worker', worker, 'attempt', attempt, 'claimed', at, 'updated', at)
    redis.call('HDEL', key(task.id), 'entry')
    -- A worker that is not on the list, or not any more, would never be found to have lost its claims.
    redis.call('ZADD', P .. 'workers', 'NX', 0, worker)
    redis.call('SADD', P .. 'worker:' .. worker .. ':tasks', task.id)
    emit(task, at, 'claimed', '{"worker":' .. cjson.encode(worker) .. ',"attempt":' .. attempt .. '}')
    claimed[#claimed + 1] = redis.call('HGETALL', key(task.id))
  end
end
return claimed
