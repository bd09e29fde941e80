-- Removes what is left of a task that cannot be read or whose record is gone.
-- ARGV: id, member of the index...
-- Returns: {'ok'}
call('ZREM', INDEX, 'i:' .. ARGV[1], unpack(ARGV, 2))
call('UNLINK', P .. 'task:' .. ARGV[1], P .. 'history:' .. ARGV[1])
return { 'ok' }
