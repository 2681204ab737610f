-- Posts one signed body again and again, each time under another webhook id (which is not signed), so that every
-- request is a new delivery. Prints what benchmarks/serving.py reads.
local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
local body = file:read("*a")
file:close()
local run = os.getenv("BENCH_RUN")
local headers = {
  ["Content-Type"] = "application/json",
  ["X-Shopify-Topic"] = "orders/create",
  ["X-Shopify-Hmac-Sha256"] = os.getenv("BENCH_SIGNATURE"),
  ["X-Shopify-Shop-Domain"] = "bench.myshopify.com",
  ["X-Shopify-Triggered-At"] = "2026-11-24T10:00:00Z",
}
local number = 0

function request()
  number = number + 1
  headers["X-Shopify-Webhook-Id"] = run .. "-" .. number
  return wrk.format("POST", "/webhooks/bench", headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), latency.max,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
