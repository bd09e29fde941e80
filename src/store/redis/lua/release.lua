-- Gives the lease on a notifier back.
-- ARGV: notifier, holder
-- Returns: 1, or 0 where it is not this one's
local name = P .. 'notifier:' .. ARGV[1]
if typed('HGET', name, 'holder') ~= ARGV[2] then return 0 end
call('HSET', name, 'holder', '', 'until', '0')
return 1
