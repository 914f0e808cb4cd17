-- A booking as Redis does it best: one script that takes a seat only while there is one and a
-- person only once. KEYS[1] becomes one of 5,000 slots, KEYS[2] the person.
local slot = 'slot:' .. (tonumber(KEYS[1]) % 5000)
local taken = redis.call('INCR', slot)
if taken > 1000000 then
  redis.call('DECR', slot)
  return -1
end
if redis.call('SETNX', KEYS[2], slot) == 0 then
  redis.call('DECR', slot)
  return -2
end
return taken
