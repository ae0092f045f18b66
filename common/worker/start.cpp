#include <string>
#include <vector>

#include "common/telemetry/log.hpp"
#include "common/worker/run.hpp"

namespace tokenrail::worker {

config::StartUp start(const Program& program, int argc, const char* const* argv) {
  const auto common = config::common_settings();
  std::vector<config::Setting> settings(common.begin(), common.end());
  settings.insert(settings.end(), program.own_settings.begin(), program.own_settings.end());
  auto begun = config::start_up(program.name, program.purpose, settings, argc, argv);
  if (!begun.loaded) return begun;
  const auto& values = begun.loaded->values;
  telemetry::start_logging(std::string(program.name), values.text("log.level"), values.text("log.format"));
  return begun;
}

void run_loop(boost::asio::io_context& loop, telemetry::LoopTurns& turns) {
  while (!loop.stopped()) {
    turns.begin();
    if (loop.poll_one() > 0) {
      turns.end();
      continue;
    }
    if (loop.stopped()) break;
    // Nothing was ready. The wait is not part of the turn that ends it.
    turns.drop();
    loop.run_one();
    turns.end();
  }
}

}  // namespace tokenrail::worker
