-- Removes the queues of tools that nobody offers any more, where they are empty.
-- ARGV: tool...
-- Returns: {'ok'}
for _, tool in ipairs(ARGV) do
  local ready = P .. 'ready:' .. tool
  if typed('HEXISTS', P .. 'tools', tool) == 0 and typed('XLEN', ready) == 0 then call('DEL', ready) end
end
return { 'ok' }
