-- Renews a worker's lease.
-- ARGV: worker, lease ms
-- Returns: 1, or 0 when the worker or one of its tools is not known any more
local score = call('ZSCORE', P .. 'leases', ARGV[1])
if not score or tonumber(score) == 0 then return 0 end
local names = call('GET', P .. 'worker:' .. ARGV[1])
if not names then return 0 end
local tools = cjson.decode(names)
if #tools > 0 then
  for _, known in ipairs(call('HMGET', P .. 'tools', unpack(tools))) do
    if not known then return 0 end
  end
end
call('ZADD', P .. 'leases', now() + tonumber(ARGV[2]), ARGV[1])
return 1
