-- Begins a namespace, or says which layout it has.
-- KEYS: 2 what keys of every layout begin with
-- ARGV: layout of this program, an epoch, whether tasks' records were found where the namespace was not there: 0|1, or ''
--       where nobody has looked: then it is not begun
-- Returns: the namespace's layout, '' where there is none, whether it was begun by this call 0|1, whether its index is
--          not there or not whole 0|1
local meta = KEYS[2] .. 'meta'
local is_new = 0
if ARGV[3] == '' then
  if call('EXISTS', meta) == 0 then return { '', 0, 1 } end
else
  is_new = call('HSETNX', meta, 'layout', ARGV[1])
end
if is_new == 1 then
  call('HSET', meta, 'epoch', ARGV[2])
  -- In the same step, so that nobody who finds its first task takes the index for a lost one.
  if ARGV[3] == '0' then try('ZADD', INDEX, '0', 'w') end
end
return { call('HGET', meta, 'layout'), is_new, has_index() and 0 or 1 }
