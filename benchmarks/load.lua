-- Posts one signed body again and again, each time under another webhook id (which is not signed), so that every
-- request is a new delivery. Prints what benchmarks/loading.py reads.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
local body = file:read("*a")
file:close()
local path = os.getenv("BENCH_PATH")
local run = os.getenv("BENCH_RUN")
local headers = {
  ["Content-Type"] = "application/json",
  ["X-Shopify-Topic"] = "orders/create",
  ["X-Shopify-Hmac-Sha256"] = os.getenv("BENCH_SIGNATURE"),
  ["X-Shopify-Shop-Domain"] = "bench.myshopify.com",
  ["X-Shopify-Triggered-At"] = "2026-11-24T10:00:00Z",
}
if os.getenv("BENCH_HEX") then
  headers["X-Hub-Signature-256"] = "sha256=" .. os.getenv("BENCH_HEX")
end
local number = 0

function request()
  number = number + 1
  headers["X-Shopify-Webhook-Id"] = run .. "-" .. number
  return wrk.format("POST", path, headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
