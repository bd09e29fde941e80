-- Takes the lease on a notifier, or renews it. One that is not known begins at the places that are given.
-- ARGV: notifier, holder, what to tell people of it, lease ms, place of events, place of unanswered questions,
--       the longest lease ms
-- Returns: here, both places, revision, whether it is new 0|1; or elsewhere, what to tell of who holds it
local name = 'notifier:' .. ARGV[1]
seldom().own(name, 'hash')
local at = now()
local v = call('HMGET', P .. name, 'holder', 'about', 'until', 'events', 'unanswered', 'revision')
local left = (seldom().within(v[3], LAST_MS) or 0) - at
if v[1] and v[1] ~= '' and v[1] ~= ARGV[2] and left > 0 and left <= tonumber(ARGV[7]) then
  return { 'elsewhere', v[2] or '' }
end
local is_new = not v[4] or not v[5]
local events, unanswered = v[4] or ARGV[5], v[5] or ARGV[6]
seldom().own('notifiers', 'set')
call('HSET', P .. name, 'holder', ARGV[2], 'about', ARGV[3], 'until', whole(at + tonumber(ARGV[4])), 'events', events,
  'unanswered', unanswered)
-- One that is held and not listed is listed at the next renewal; a name without a record could not be read.
call('SADD', P .. 'notifiers', ARGV[1])
return { 'here', events, unanswered, v[6] or '0', is_new and 1 or 0 }
