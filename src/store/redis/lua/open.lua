-- Begins a namespace, or says which layout it has.
-- ARGV: layout of this program
-- Returns: the namespace's layout
if redis.call('HSETNX', P .. 'meta', 'layout', ARGV[1]) == 1 then return ARGV[1] end
return redis.call('HGET', P .. 'meta', 'layout')
