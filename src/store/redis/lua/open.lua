-- Begins a namespace, or says which layout it has.
-- KEYS: 2 what keys of every layout begin with
-- ARGV: layout of this program, an epoch
-- Returns: the namespace's layout, whether its index was lost 0|1
local meta = KEYS[2] .. 'meta'
if call('HSETNX', meta, 'layout', ARGV[1]) == 1 then
  call('HSET', meta, 'epoch', ARGV[2])
  -- Tasks may be there all the same, where only this key was lost.
  if call('EXISTS', EVENTS) == 0 then put('zset', 'ZADD', 'index', '0', 'w') end
end
return { call('HGET', meta, 'layout'), typed('ZSCORE', INDEX, 'w') and 0 or 1 }
