-- Begins a namespace, or says which layout it has.
-- KEYS: 2 what keys of every layout begin with
-- ARGV: layout of this program, an epoch
-- Returns: the namespace's layout
local meta = KEYS[2] .. 'meta'
if call('HSETNX', meta, 'layout', ARGV[1]) == 1 then call('HSET', meta, 'epoch', ARGV[2]) end
return call('HGET', meta, 'layout')
