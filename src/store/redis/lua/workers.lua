-- Every worker that was not dismissed.
-- Returns: {id, lease ms, names (JSON), tasks}...
local at, found = now(), {}
local listed = redis.call('ZRANGEBYSCORE', P .. 'workers', '(0', '+inf', 'WITHSCORES')
for entry = 1, #listed, 2 do
  local worker = listed[entry]
  found[#found + 1] = { worker, tonumber(listed[entry + 1]) - at, redis.call('GET', P .. 'worker:' .. worker) or '[]',
    redis.call('SCARD', P .. 'worker:' .. worker .. ':tasks') }
end
return found
