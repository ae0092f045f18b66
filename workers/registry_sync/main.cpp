// tokenrail-registry-sync: keeps the model registry in step with what the providers offer, and publishes it.
#include <cstdio>
#include <exception>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <spdlog/spdlog.h>

#include "common/config/settings.hpp"
#include "common/telemetry/log.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/worker.hpp"

int main(int argc, char** argv) {
  using namespace tokenrail;
  try {
    std::vector<config::Setting> settings(config::common_settings().begin(), config::common_settings().end());
    const auto own = registry_sync::registry_sync_settings();
    settings.insert(settings.end(), own.begin(), own.end());
    auto start = config::start_up("tokenrail-registry-sync",
                                  "Keeps the model registry in step with what the providers offer, and publishes it.",
                                  settings, argc, argv);
    if (!start.loaded) return start.exit_code;
    const auto& values = start.loaded->values;
    telemetry::start_logging("tokenrail-registry-sync", values.text("log.level"), values.text("log.format"));

    boost::asio::io_context loop(1);
    registry_sync::Worker worker(loop, values);
    if (const auto started = worker.start(); !started) {
      spdlog::error("{}", started.error().detail);
      return 1;
    }
    loop.run();
    return worker.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenrail-registry-sync: %s\n", error.what());
    return 1;
  }
}
