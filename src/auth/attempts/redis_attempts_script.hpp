// The Lua script of RedisAttempts.
//
//   KEYS[1]  what all names begin with
//   ARGV     1        what: take or end
//            2        milliseconds now, or '' for the server's time
//            3, 4     milliseconds of a step of failures, of marks
//            5, 6     limits of account, address
//            7–10     counters of the account
//            11–14    counters of the address
//            15, 16   of end only: step of the mark, '1' if the attempt failed
//   Answers  take     {'taken', step of the mark}, {'busy'} or {'refused', milliseconds}
//            end      {'ended'}
#pragma once

namespace um {

inline constexpr const char* kAttemptsScript = R"lua(
local STEPS, MARKS, ROWS = 16, 3, 4

local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
local step_ms, mark_ms = tonumber(ARGV[3]), tonumber(ARGV[4])
local step, mark = math.floor(now / step_ms), math.floor(now / mark_ms)
local kinds = {
  {name = 'account', limit = tonumber(ARGV[5]), first = 7},
  {name = 'address', limit = tonumber(ARGV[6]), first = 11},
}

local function key(what, kind, number)
  return KEYS[1] .. what .. ':' .. kind.name .. ':' .. string.format('%d', number)
end

local function read(name, kind)
  local call = {'BITFIELD', name}
  for row = 0, ROWS - 1 do
    call[#call + 1] = 'GET'
    call[#call + 1] = 'u16'
    call[#call + 1] = '#' .. ARGV[kind.first + row]
  end
  return redis.call(unpack(call))
end

local function add(name, kind, amount, lifetime)
  local call = {'BITFIELD', name, 'OVERFLOW', 'SAT'}
  for row = 0, ROWS - 1 do
    call[#call + 1] = 'INCRBY'
    call[#call + 1] = 'u16'
    call[#call + 1] = '#' .. ARGV[kind.first + row]
    call[#call + 1] = amount
  end
  redis.call(unpack(call))
  redis.call('PEXPIRE', name, lifetime)
end

if ARGV[1] == 'end' then
  for _, kind in ipairs(kinds) do
    local marked = key('mark', kind, tonumber(ARGV[15]))
    if redis.call('EXISTS', marked) == 1 then add(marked, kind, -1, mark_ms * (MARKS + 1)) end
    if ARGV[16] == '1' then add(key('fail', kind, step), kind, 1, step_ms * (STEPS + 1)) end
  end
  return {'ended'}
end

-- The smallest of the four rows is the estimate, for each question by itself.
local refused, busy = 0, false
for _, kind in ipairs(kinds) do
  local failures, marks = {}, {}
  for s = step - STEPS + 1, step do failures[s] = read(key('fail', kind, s), kind) end
  for m = mark - MARKS + 1, mark do marks[m] = read(key('mark', kind, m), kind) end
  local least_failed, least_total, least_wait = math.huge, math.huge, STEPS
  for row = 1, ROWS do
    local failed, under_way = 0, 0
    for _, counts in pairs(failures) do failed = failed + counts[row] end
    for _, counts in pairs(marks) do under_way = under_way + counts[row] end
    -- The step after the current one takes the place of the oldest that is counted.
    local left, wait = failed, 0
    while left >= kind.limit and wait < STEPS do
      wait = wait + 1
      left = left - failures[step - STEPS + wait][row]
    end
    least_failed = math.min(least_failed, failed)
    least_total = math.min(least_total, failed + under_way)
    least_wait = math.min(least_wait, wait)
  end
  if least_failed >= kind.limit then
    refused = math.max(refused, least_wait * step_ms - now % step_ms)
  elseif least_total >= kind.limit then
    busy = true
  end
end
if refused > 0 then return {'refused', refused} end
if busy then return {'busy'} end
for _, kind in ipairs(kinds) do add(key('mark', kind, mark), kind, 1, mark_ms * (MARKS + 1)) end
return {'taken', mark}
)lua";

}  // namespace um
