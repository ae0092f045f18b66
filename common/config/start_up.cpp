#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <unistd.h>

#include "common/config/notation.hpp"
#include "common/config/settings.hpp"

namespace tokenrail::config {
namespace {

constexpr int exit_wrong_usage = 2;
constexpr std::size_t file_bytes_max = 1 << 20;

std::map<std::string, std::string> process_environment() {
  std::map<std::string, std::string> out;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

/// The file that --config FILE or --config=FILE names; empty: none.
std::string config_flag(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--config" && i + 1 < arguments.size()) return arguments[i + 1];
    if (argument.starts_with("--config=")) return argument.substr(std::string_view("--config=").size());
  }
  return {};
}

StartUp stop(std::string_view program, std::string_view message) {
  fmt::print(stderr, "{}\n\nSee {} --help.\n", message, program);
  return {.loaded = std::nullopt, .exit_code = exit_wrong_usage};
}

}  // namespace

Result<std::string> read_file(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) return fail(ErrorKind::not_found, fmt::format("cannot read the configuration file '{}'", name));
  std::string text(file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad() || (text.empty() && !file.eof())) {
    return fail(ErrorKind::invalid_input, fmt::format("cannot read the configuration file '{}'", name));
  }
  if (text.size() > file_bytes_max) {
    return fail(ErrorKind::invalid_input, fmt::format("the configuration file '{}' is larger than 1 MiB", name));
  }
  return text;
}

Result<void> add_process(Sources& sources, std::string named) {
  sources.environment = process_environment();
  sources.file_name = std::move(named);
  if (sources.file_name.empty()) {
    const auto found = sources.environment.find("TOKENRAIL_CONFIG");
    if (found != sources.environment.end()) sources.file_name = found->second;
  }
  if (sources.file_name.empty()) return {};
  auto text = read_file(sources.file_name);
  if (!text) return std::unexpected(std::move(text.error()));
  sources.file_text = std::move(*text);
  return {};
}

std::string_view version() {
  return TOKENRAIL_VERSION;
}

StartUp start_up(std::string_view program, std::string_view purpose, std::span<const Setting> settings, int argc,
                 const char* const* argv) {
  Sources sources{.settings = settings, .arguments = {}, .environment = {}, .file_text = {}, .file_name = {}};
  for (int i = 1; i < argc; ++i) sources.arguments.emplace_back(argv[i]);
  const auto added = add_process(sources, config_flag(sources.arguments));

  auto loaded = load(sources);
  if (loaded && loaded->invocation.help) {
    fmt::print("{}", help_page(program, purpose, settings));
    return {};
  }
  if (loaded && loaded->invocation.version) {
    fmt::print("{} {}\n", program, version());
    return {};
  }
  if (!added) return stop(program, added.error().detail);
  if (!loaded) return stop(program, loaded.error().detail);
  if (!loaded->invocation.rest.empty()) {
    return stop(program, fmt::format("'{}' is one argument too many; a configuration file is given by --config FILE",
                                     loaded->invocation.rest.front()));
  }
  for (const std::string& warning : loaded->warnings) fmt::print(stderr, "{}: warning: {}\n", program, warning);
  if (loaded->invocation.print_config) {
    fmt::print("{}", loaded->values.print());
    return {};
  }
  return {.loaded = std::move(*loaded), .exit_code = 0};
}

}  // namespace tokenrail::config
