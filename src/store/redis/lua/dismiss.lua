-- Takes a worker off the list; what it still holds is due at once.
-- ARGV: worker
-- Returns: {'ok'}
if not typed('ZSCORE', P .. 'leases', ARGV[1]) then return { 'ok' } end
local held = P .. 'held:' .. ARGV[1]
if typed('SISMEMBER', held, '') == 1 and call('SCARD', held) == 1 then
  call('ZREM', P .. 'leases', ARGV[1])
  call('DEL', P .. 'worker:' .. ARGV[1], P .. 'about:' .. ARGV[1], held)
else
  call('ZADD', P .. 'leases', 0, ARGV[1])
end
return { 'ok' }
