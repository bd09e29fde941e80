-- Forgets a notifier that nobody holds.
-- ARGV: notifier, the longest lease ms
-- Returns: 1, or 0 where somebody holds it or it is not known
local name = 'notifier:' .. ARGV[1]
local known = typed('SISMEMBER', P .. 'notifiers', ARGV[1])
local v = typed('HMGET', P .. name, 'holder', 'until') or {}
local left = (seldom().within(v[2] or '', LAST_MS) or 0) - now()
if v[1] and v[1] ~= '' and left > 0 and left <= tonumber(ARGV[2]) then return 0 end
if known == 1 then call('SREM', P .. 'notifiers', ARGV[1]) end
return call('UNLINK', P .. name, P .. 'deliveries:' .. ARGV[1], P .. 'undelivered:' .. ARGV[1]) > 0 and 1 or known or 0
