-- Stands after every script: calls it, and undoes what it wrote when it ends in an error.
local done, reply = pcall(body)
if done then return reply end
seldom().take_back()
return seldom().refusal(reply)
