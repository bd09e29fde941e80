-- What a worker holds.
-- ARGV: worker
-- Returns: {id, attempt}...
local held = {}
for _, id in ipairs(redis.call('SMEMBERS', P .. 'worker:' .. ARGV[1] .. ':tasks')) do
  local attempt = redis.call('HGET', key(id), 'attempt')
  if attempt then held[#held + 1] = { id, attempt } end
end
return held
