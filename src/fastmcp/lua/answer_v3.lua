-- Answers the question of a FastMCP 3 task: the same writes as FastMCP's relay, but in one step, so that the
-- status is there before the worker wakes and can never overwrite that of its next question.
-- KEYS: request, status, response, runs
-- ARGV: request id, answer (JSON), milliseconds that both live: a worker that waits takes the answer at once, and one
--       that nobody takes must not be there for a later question, whatever becomes of who gave it
-- Returns: {'ok', stale answers cleared} | {'gone'} | {'answered'} | {'other'} | {'ended', state}
local state = redis.call('HGET', KEYS[4], 'state')
if state ~= 'running' then return { 'ended', state or '' } end
local text = redis.call('GET', KEYS[1])
if not text then return { 'gone' } end
local read, request = pcall(cjson.decode, text)
if not read or request.request_id ~= ARGV[1] then return { 'other' } end
local status = redis.call('GET', KEYS[2])
if status and status ~= 'waiting' then return { 'answered' } end
local stale = redis.call('LLEN', KEYS[3])
redis.call('DEL', KEYS[3])
redis.call('SET', KEYS[2], 'responded', 'PX', ARGV[3])
redis.call('LPUSH', KEYS[3], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[3])
return { 'ok', stale }
