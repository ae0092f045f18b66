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

}  // namespace tokenrail::worker
