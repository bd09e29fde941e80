-- Notes how a process archives tasks, for those that were not told and for `doctor`. What nobody has said for a day is
-- forgotten.
-- ARGV: how long (ms), the most bytes
local at, key = now(), P .. 'keep'
local said = typed('HGETALL', key)
if not said then seldom().own('keep', 'hash') end
for field = 1, #(said or {}), 2 do
  if (tonumber(said[field + 1]) or 0) + SAID_MS <= at then call('HDEL', key, said[field]) end
end
call('HSET', key, ARGV[1] .. ':' .. ARGV[2], whole(at))
call('PEXPIRE', key, SAID_MS)
return { 'ok' }
