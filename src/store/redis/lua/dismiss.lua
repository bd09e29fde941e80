-- Takes a worker off the list; what it still holds is due at once.
-- ARGV: worker
-- Returns: {'ok'}
if call('SCARD', P .. 'held:' .. ARGV[1]) > 0 then
  call('ZADD', P .. 'leases', 0, ARGV[1])
else
  call('ZREM', P .. 'leases', ARGV[1])
  call('DEL', P .. 'worker:' .. ARGV[1])
end
return { 'ok' }
