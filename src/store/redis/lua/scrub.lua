-- Removes what is left of a task that cannot be read or whose record is gone.
-- ARGV: id, member of the index...
-- Returns: {'ok'}
local id, members = ARGV[1], { 'i:' .. ARGV[1] }
for at = 2, #ARGV do members[at] = ARGV[at] end
seldom().many('ZREM', INDEX, members)
call('UNLINK', P .. 'task:' .. id, P .. 'history:' .. id)
leave_all_links(id)
return { 'ok' }
