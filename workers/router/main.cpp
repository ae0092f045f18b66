// tokenrail-router: reads chat requests, calls providers, publishes token chunks and the audit log.
#include <cstdio>
#include <exception>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <spdlog/spdlog.h>

#include "common/config/settings.hpp"
#include "common/telemetry/log.hpp"
#include "workers/router/settings.hpp"
#include "workers/router/shell/worker.hpp"

int main(int argc, char** argv) {
  using namespace tokenrail;
  try {
    std::vector<config::Setting> settings(config::common_settings().begin(), config::common_settings().end());
    settings.insert(settings.end(), router::router_settings().begin(), router::router_settings().end());
    auto start = config::start_up("tokenrail-router", "Answers the chat requests on Kafka by calling LLM providers.",
                                  settings, argc, argv);
    if (!start.loaded) return start.exit_code;
    const auto& values = start.loaded->values;
    telemetry::start_logging("tokenrail-router", values.text("log.level"), values.text("log.format"));

    boost::asio::io_context loop(1);
    router::Worker worker(loop, values);
    if (const auto started = worker.start(); !started) {
      spdlog::error("{}", started.error().detail);
      return 1;
    }
    loop.run();
    return worker.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenrail-router: %s\n", error.what());
    return 1;
  }
}
