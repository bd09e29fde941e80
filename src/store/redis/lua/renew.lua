-- Renews a worker's lease.
-- ARGV: worker, lease ms
-- Returns: 1, or 0 when the worker is not known any more
local score = redis.call('ZSCORE', P .. 'workers', ARGV[1])
if not score or tonumber(score) == 0 then return 0 end
redis.call('ZADD', P .. 'workers', now() + tonumber(ARGV[2]), ARGV[1])
return 1
