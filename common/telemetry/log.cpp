#include "common/telemetry/log.hpp"

#include <ctime>
#include <memory>
#include <string>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "common/telemetry/log_format.hpp"
#include "common/telemetry/text_escape.hpp"

namespace tokenrail::telemetry {
namespace {

std::string utc(std::chrono::system_clock::time_point time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = static_cast<std::time_t>(seconds.count());
  std::tm parts{};
  gmtime_r(&whole, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", parts, (since_epoch - seconds).count());
}

std::string_view bounded(std::string_view message) {
  return message.substr(0, log_message_bytes_max);
}

std::string cut_note(std::string_view message) {
  if (message.size() <= log_message_bytes_max) return {};
  return fmt::format(" [{} more bytes cut]", message.size() - log_message_bytes_max);
}

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
      return "trace";
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    default:
      return "error";
  }
}

class LineFormatter final : public spdlog::formatter {
 public:
  LineFormatter(std::string program, bool json) : program_(std::move(program)), json_(json) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const LogLine line{.time = message.time,
                       .level = level_name(message.level),
                       .program = program_,
                       .message = std::string_view(message.payload.data(), message.payload.size())};
    const std::string text = (json_ ? json_line(line) : human_line(line)) + "\n";
    out.append(text.data(), text.data() + text.size());
  }

  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<LineFormatter>(program_, json_);
  }

 private:
  std::string program_;
  bool json_;
};

}  // namespace

std::string human_line(const LogLine& line) {
  return fmt::format("{} {:<5} {}{}", utc(line.time), line.level, one_line(bounded(line.message)),
                     cut_note(line.message));
}

std::string json_line(const LogLine& line) {
  return fmt::format(R"({{"time":"{}","level":"{}","program":"{}","message":"{}{}"}})", utc(line.time), line.level,
                     json_string(line.program), json_string(bounded(line.message)), cut_note(line.message));
}

void start_logging(std::string_view program, std::string_view level, std::string_view format) {
  // _mt: the database pool's threads log too.
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>(std::string(program), std::move(sink));
  logger->set_formatter(std::make_unique<LineFormatter>(std::string(program), format == "json"));
  const auto parsed = spdlog::level::from_str(std::string(level));
  // from_str() says "off" to what it does not know; a user who mistyped a level did not ask for silence.
  logger->set_level(parsed == spdlog::level::off ? spdlog::level::info : parsed);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace tokenrail::telemetry
