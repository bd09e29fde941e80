-- What time has brought. Workers whose lease ended and who hold nothing are forgotten here.
-- ARGV: most of each kind
-- Returns: {deadline member...}, {id, attempt, worker}..., ms until something else is due or -1
local at, most = now(), tonumber(ARGV[1])
local deadlines = redis.call('ZRANGEBYSCORE', P .. 'deadlines', '-inf', at, 'LIMIT', 0, most)
local claims = {}
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', P .. 'workers', '-inf', at)) do
  local tasks = redis.call('SRANDMEMBER', P .. 'worker:' .. worker .. ':tasks', most)
  for _, id in ipairs(tasks) do
    local attempt = redis.call('HGET', key(id), 'attempt')
    if attempt then
      claims[#claims + 1] = { id, attempt, worker }
    else
      redis.call('SREM', P .. 'worker:' .. worker .. ':tasks', id)
    end
  end
  if #tasks == 0 then
    redis.call('ZREM', P .. 'workers', worker)
    redis.call('DEL', P .. 'worker:' .. worker)
  end
  if #claims >= most then break end
end
local next = -1
for _, name in ipairs({ 'deadlines', 'workers' }) do
  local head = redis.call('ZRANGEBYSCORE', P .. name, '(' .. string.format('%.0f', at), '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if head[2] and (next < 0 or tonumber(head[2]) - at < next) then next = tonumber(head[2]) - at end
end
return { deadlines, claims, next }
