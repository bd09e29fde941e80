-- Puts a task back to waiting whose question FastMCP marked as answered without an answer.
-- KEYS: request, status, response, runs
-- ARGV: request id
-- Returns: 'ok' | 'running' | 'request' | 'status' | 'answers': what was not as it has to be
if redis.call('HGET', KEYS[4], 'state') ~= 'running' then return 'running' end
local read, request = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
if not read or request.request_id ~= ARGV[1] then return 'request' end
-- The status of an answer that nobody took may have expired before the question.
local status = redis.call('GET', KEYS[2])
if status and status ~= 'responded' then return 'status' end
if redis.call('LLEN', KEYS[3]) > 0 then return 'answers' end
redis.call('SET', KEYS[2], 'waiting', 'PX', math.max(1, redis.call('PTTL', KEYS[1])))
return 'ok'
