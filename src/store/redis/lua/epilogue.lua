-- Stands after every script: calls it, and undoes what it wrote when it ends in an error.
local done, reply = pcall(body)
if done then return reply end
for step = #undo, 1, -1 do pcall(undo[step]) end
if type(reply) == 'table' then return redis.error_reply(reply.err or 'ERR a script ended in an error without words') end
-- Redis 6 raises errors as texts: `@user_script: 12: WRONGTYPE Operation …`, or with the command's own code after ': -'.
local said = string.match(reply, ': %-(%u+ .*)') or string.match(reply, '@user_script:%s?%d+: (.*)') or reply
-- Redis 7 and Valkey say so in words only.
if string.find(said, 'user executing the script', 1, true) or string.find(said, 'ACL failure in script', 1, true) then
  said = 'NOPERM ' .. said
end
if not string.match(said, '^%u%u+ ') then said = 'ERR ' .. said end
return redis.error_reply(said)
