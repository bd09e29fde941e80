-- Takes back an answer that no worker has taken, so that it cannot leak into a later question.
-- KEYS: request, status, response
-- ARGV: request id, answer (JSON)
-- Returns: 1 if it was taken back, 0 if a worker has it
if redis.call('LREM', KEYS[3], 0, ARGV[2]) == 0 then return 0 end
local read, request = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
if read and request.request_id == ARGV[1] then
  redis.call('SET', KEYS[2], 'waiting', 'PX', math.max(1, redis.call('PTTL', KEYS[1])))
end
return 1
