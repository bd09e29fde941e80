-- Takes a worker off the list; what it still holds is due at once.
-- ARGV: worker
if redis.call('SCARD', P .. 'worker:' .. ARGV[1] .. ':tasks') > 0 then
  redis.call('ZADD', P .. 'workers', 0, ARGV[1])
else
  redis.call('ZREM', P .. 'workers', ARGV[1])
  redis.call('DEL', P .. 'worker:' .. ARGV[1])
end
return { 'ok' }
