// From argv to an exit code: parse, load the settings, hand over to the command.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/govern.hpp"
#include "cli/governance.hpp"
#include "common/core_files.hpp"
#include "common/telemetry/log.hpp"

namespace tokenrail::cli {
namespace {

using Handler = int (*)(const Context&);
constexpr std::array<std::pair<std::string_view, Handler>, 22> handlers{{
    {"chat", run_chat},
    {"tail", run_tail},
    {"topics apply", run_topics_apply},
    {"topics check", run_topics_check},
    {"topics list", run_topics_list},
    {"topics acls", run_topics_acls},
    {"topics tail", run_topics_tail},
    {"migrate", run_migrate},
    {"registry list", run_registry_list},
    {"registry sync", run_registry_sync},
    {"registry set-parameters", run_registry_parameters},
    {"registry republish", run_registry_republish},
    {"keys create", run_keys_create},
    {"keys add", run_keys_add},
    {"keys promote", run_keys_promote},
    {"keys rotate", run_keys_rotate},
    {"keys disable", run_keys_disable},
    {"keys status", run_keys_status},
    {"keys rewrap", run_keys_rewrap},
    {"auth token", run_auth_token},
    {"doctor", run_doctor},
    {"verify", run_verify},
}};

Result<config::Loaded> load_settings(const Call& call) {
  config::Sources sources{
      .settings = settings(), .arguments = call.setting_flags, .environment = {}, .file_text = {}, .file_name = {}};
  if (const auto added = config::add_process(sources, call.value("config").value_or("")); !added)
    return fail(ErrorKind::invalid_input, fmt::format("{}; check --config and TOKENRAIL_CONFIG", added.error().detail));
  return config::load(sources);
}

int show_usage_error(Terminal& terminal, const UsageError& error) {
  terminal.error(error.message);
  if (error.command) {
    terminal.error(fmt::format("'tokenrail {} --help' shows how it is called", error.command->path));
  } else if (!error.group.empty()) {
    terminal.note(help_of_group(error.group, commands()));
  } else {
    terminal.error("'tokenrail --help' lists the commands");
  }
  return exit_usage;
}

int show_help(Terminal& terminal, const HelpCall& help) {
  if (help.command)
    terminal.out(help_of_command(*help.command));
  else if (!help.group.empty())
    terminal.out(help_of_group(help.group, commands()));
  else
    terminal.out(help_of_program(commands()));
  return exit_done;
}

int run_call(const Call& call, Terminal& terminal) {
  if (call.command->path == "version") {
    terminal.out_line(
        fmt::format(fmt::runtime(call.has("json") ? "{{\"version\":\"{}\"}}" : "tokenrail {}"), config::version()));
    return exit_done;
  }
  if (call.command->path == "docs configuration") {
    terminal.out(config::markdown_table(settings()));
    return exit_done;
  }
  if (call.command->path == "docs cli") {
    terminal.out(reference_page(commands()));
    return exit_done;
  }
  const CoreFiles core_files;
  auto loaded = load_settings(call);
  if (!loaded) {
    terminal.error(loaded.error().detail);
    return exit_usage;
  }
  const config::Values& values = loaded->values;
  core_files.settle(values.boolean("process.core_files"));
  // A person at a terminal wants an answer, not a log; who sets a level gets that one.
  const bool level_set = values.source("log.level") != config::Source::default_value;
  telemetry::start_logging("tokenrail", level_set ? values.text("log.level") : "error", values.text("log.format"));

  const Context context{.call = call, .values = values, .terminal = terminal};
  if (const auto reached = check_registry_is_reached(context); !reached) return context.failed(reached.error());
  const auto governing = std::ranges::find(governing_runs(), call.command->path, &Governing::path);
  if (governing != governing_runs().end()) return governing->run(context);
  const auto handler = std::ranges::find(handlers, call.command->path, &std::pair<std::string_view, Handler>::first);
  return handler->second(context);
}

}  // namespace

kafka::Properties Context::kafka_properties() const {
  auto properties = values.kafka_properties();
  // librdkafka refuses above 1 MB by itself; what the topic takes is the limit that counts.
  properties.emplace("message.max.bytes", std::to_string(values.bytes("topics.request_bytes_max")));
  return {properties.begin(), properties.end()};
}

std::string Context::bootstrap_servers() const {
  const auto& properties = values.kafka_properties();
  const auto it = properties.find("bootstrap.servers");
  return it == properties.end() ? std::string{} : it->second;
}

TopicOptions Context::topic_options() const {
  TopicOptions options{.prefix = values.text("topic.prefix"),
                       .partitions_asked = {},
                       .partitions_default = static_cast<std::int32_t>(values.integer("topics.partitions")),
                       .replication = static_cast<std::int16_t>(values.integer("topics.replication")),
                       .request_bytes_max = values.bytes("topics.request_bytes_max")};
  if (const auto asked = call.value("partitions")) options.partitions_asked = parse_count(*asked);
  return options;
}

std::vector<topics::Finding> Context::judge_topics(const std::vector<kafka::TopicDescription>& there) const {
  return topics::judge(topics::limits_of(values), topic_names(), there);
}

int exit_code_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input:
      return exit_usage;
    case ErrorKind::timed_out:
      return exit_timed_out;
    case ErrorKind::unavailable:
      return exit_unavailable;
    case ErrorKind::cancelled:
      return exit_interrupted;
    case ErrorKind::not_found:
    case ErrorKind::rejected:
    case ErrorKind::conflict:
    case ErrorKind::unauthenticated:
    case ErrorKind::forbidden:
    case ErrorKind::rate_limited:
      return exit_bad;
  }
  return exit_bad;
}

int Context::failed(const Error& error) const {
  terminal.error(error.detail);
  if (!error.hint.empty()) terminal.note(error.hint);
  if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::timed_out)
    terminal.note("'tokenrail doctor' names what is down and the remedy");
  return exit_code_for(error.kind);
}

int run(std::vector<std::string> arguments) {
  const auto parsed = parse(arguments, commands(), settings());
  const auto* const call = std::get_if<Call>(&parsed);
  Terminal terminal(
      Terminal::facts_of_process(call != nullptr && call->has("no-color"), call != nullptr && call->has("quiet")));
  const auto done = [&]() -> int {
    if (call != nullptr) return run_call(*call, terminal);
    if (const auto* help = std::get_if<HelpCall>(&parsed)) return show_help(terminal, *help);
    if (const auto* usage = std::get_if<UsageError>(&parsed)) return show_usage_error(terminal, *usage);
    terminal.out_line(fmt::format("tokenrail {}", config::version()));
    return exit_done;
  };
  // A pipe whose reader has gone is an error of the write: there may be a request to cancel first.
  std::signal(SIGPIPE, SIG_IGN);
  const int code = done();
  if (terminal.out_error() == EPIPE) return exit_unread;
  if (terminal.out_error() == 0) return code;
  terminal.error(
      fmt::format("standard output could not be written: {}", std::generic_category().message(terminal.out_error())));
  return code == exit_done ? exit_bad : code;
}

}  // namespace tokenrail::cli
