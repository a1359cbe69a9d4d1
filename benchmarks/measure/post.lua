-- wrk script: one constant POST, every answer compared. Arguments after `--`: body, expected status, expected answer, then
-- header names and values in turns. The last line on stdout is a JSON object.
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  local headers = {}
  for i = 4, #args, 2 do headers[args[i]] = args[i + 1] end
  prepared = wrk.format("POST", nil, headers, args[1])
  expected_status = tonumber(args[2])
  expected = args[3]
  wrong = 0
end

function request()
  return prepared
end

function response(status, headers, body)
  if status ~= expected_status or body ~= expected then wrong = wrong + 1 end
end

function done(summary, latency, requests)
  local wrong_answers = 0
  for _, thread in ipairs(threads) do wrong_answers = wrong_answers + thread:get("wrong") end
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "wrong": %d, "broken": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), wrong_answers,
    errors.connect + errors.read + errors.write + errors.timeout))
end
