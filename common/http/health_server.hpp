// What every worker serves to probes and scrapers: /livez, /readyz, /metrics. Loopback by default; never anything that
// changes state.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/http/server.hpp"
#include "common/result.hpp"
#include "common/telemetry/health.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::http {

/// `conditions` is called for each /readyz, on the loop's thread, and never after the server was stopped; `metrics`
/// outlives the server. Errors: those of Server::start().
Result<std::unique_ptr<Server>> start_health_server(boost::asio::io_context& loop, const std::string& listen,
                                                    const telemetry::Metrics& metrics,
                                                    std::function<std::vector<telemetry::Condition>()> conditions);

}  // namespace tokenrail::http
