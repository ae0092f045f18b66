// The main() of a worker: settings, log, one event loop whose turns are measured, and an exit code.
#pragma once

#include <cstdio>
#include <exception>
#include <span>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <spdlog/spdlog.h>

#include "common/config/settings.hpp"
#include "common/core_files.hpp"
#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::worker {

struct Program {
  std::string_view name;  ///< "tokenrail-router"
  std::string_view purpose;
  std::span<const config::Setting> own_settings;  ///< besides those that every program has
};

/// Reads the settings and starts the log. Nothing is loaded where the process has to end now, with that exit code.
[[nodiscard]] config::StartUp start(const Program& program, int argc, const char* const* argv);

/// Runs the loop until it is stopped or out of work, and measures its turns. A handler for which the loop had to wait
/// is measured from its first loop_step() on.
void run_loop(boost::asio::io_context& loop, telemetry::LoopTurns& turns);

/// `Worker`: made of the loop and the settings; start() says what is wrong, metrics() takes what is measured of the
/// loop, exit_code() counts once the loop has ended.
template <class Worker>
int run(const Program& program, int argc, const char* const* argv) {
  try {
    const CoreFiles core_files;
    const auto begun = start(program, argc, argv);
    if (!begun.loaded) return begun.exit_code;
    core_files.settle(begun.loaded->values.boolean("process.core_files"));
    boost::asio::io_context loop(1);
    Worker worker(loop, begun.loaded->values);
    if (const auto started = worker.start(); !started) {
      spdlog::error("{}", started.error().detail);
      return 1;
    }
    telemetry::LoopTurns turns(worker.metrics(), begun.loaded->values.duration("log.long_turn"));
    run_loop(loop, turns);
    return worker.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.name.size()), program.name.data(), error.what());
    return 1;
  }
}

}  // namespace tokenrail::worker
