-- Wakes another worker for what is queued: who was woken for it was called off before it could claim.
-- ARGV: tool...
-- Returns: {'ok'}
for _, tool in ipairs(ARGV) do
  local ready = P .. 'ready:' .. tool
  local length = try('XLEN', ready)
  if type(length) == 'number' and length > 0 then call('XADD', ready, '*', 'task', '') end
end
return { 'ok' }
