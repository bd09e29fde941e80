-- Begins a namespace, or says which layout it has.
-- KEYS: 2 what keys of every layout begin with
-- ARGV: layout of this program, an epoch
-- Returns: the namespace's layout, whether it was begun by this call 0|1, whether its index is not there or not whole 0|1
local meta = KEYS[2] .. 'meta'
local is_new = call('HSETNX', meta, 'layout', ARGV[1])
if is_new == 1 then call('HSET', meta, 'epoch', ARGV[2]) end
return { call('HGET', meta, 'layout'), is_new, typed('ZSCORE', INDEX, 'w') and 0 or 1 }
