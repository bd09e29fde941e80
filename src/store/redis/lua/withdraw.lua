-- Forgets tools that no worker with a lease offers, and brings the tasks that nobody holds.
-- ARGV: whether to go by what can be read alone 0|1, tool...
-- Returns: {'ok', tool that was forgotten...} | {'unknown', living worker whose tools cannot be read}, who writes them
--          anew with its next renewal
local offered, reply = {}, { 'ok' }
for _, worker in ipairs(typed('ZRANGEBYSCORE', P .. 'leases', '(' .. now(), '+inf') or {}) do
  local names = names_of(worker)
  if not names and ARGV[1] == '0' then return { 'unknown', worker } end
  for _, name in ipairs(names or {}) do offered[name] = true end
end
for at = 2, #ARGV do
  local tool = ARGV[at]
  if not offered[tool] then
    call('HDEL', P .. 'tools', tool)
    reply[#reply + 1] = tool
  end
end
if #reply > 1 then tell_of_tools() end
return reply
