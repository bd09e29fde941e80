-- Forgets tools that no worker with a lease offers, and brings the tasks that nobody holds.
-- ARGV: tool...
-- Returns: the names of those that were forgotten: none while what a living worker offers cannot be read
local offered, gone = {}, {}
for _, worker in ipairs(call('ZRANGEBYSCORE', P .. 'leases', '(' .. now(), '+inf')) do
  local names = names_of(worker)
  if not names and call('EXISTS', P .. 'worker:' .. worker) == 1 then return {} end
  for _, name in ipairs(names or {}) do offered[name] = true end
end
for _, tool in ipairs(ARGV) do
  if not offered[tool] then
    call('HDEL', P .. 'tools', tool)
    gone[#gone + 1] = tool
  end
end
if #gone > 0 then put('stream', 'XADD', 'tools:changes', 'MAXLEN', 1, '*', 'changed', 1) end
return gone
