-- Withdraws the links of a task, or of one of its questions.
-- ARGV: id, position or ''
-- Returns: how many there were
local of_task, gone = 'links:' .. ARGV[1], {}
local found = typed('HGETALL', P .. of_task) or {}
for field = 1, #found, 2 do
  local position = string.match(found[field + 1], ':(%d+)$')
  if ARGV[2] == '' or position == ARGV[2] then gone[#gone + 1] = found[field] end
end
return leave_links(ARGV[1], gone)
