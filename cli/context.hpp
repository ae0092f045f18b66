// What a command gets: its call, the settings, and where to write. And the exit codes, one meaning each.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "cli/terminal.hpp"
#include "cli/topics.hpp"
#include "common/config/settings.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/topics/rules.hpp"

namespace tokenrail::cli {

enum ExitCode : int {
  exit_done = 0,
  exit_bad = 1,          ///< the answer is an error, a check found something wrong
  exit_usage = 2,        ///< the call or a setting makes no sense
  exit_unavailable = 3,  ///< Kafka or PostgreSQL cannot be reached
  exit_timed_out = 4,
  exit_interrupted = 130,  ///< Ctrl-C
  exit_unread = 141,  ///< the reader of standard output has gone; what a shell shows of a program that SIGPIPE ended
};

struct Context {
  const Call& call;
  const config::Values& values;
  Terminal& terminal;

  [[nodiscard]] bool json() const { return call.has("json"); }
  [[nodiscard]] std::string topic(std::string_view base) const {
    return values.text("topic.prefix") + std::string(base);
  }
  [[nodiscard]] topics::Names topic_names() const { return topics::Names::with_prefix(values.text("topic.prefix")); }
  [[nodiscard]] kafka::Properties kafka_properties() const;
  [[nodiscard]] std::string bootstrap_servers() const;
  /// `--partitions`, else the settings.
  [[nodiscard]] TopicOptions topic_options() const;
  /// What does not work in topics like these.
  [[nodiscard]] std::vector<topics::Finding> judge_topics(const std::vector<kafka::TopicDescription>& there) const;
  /// Writes the error with its hint and gives the exit code that fits its kind.
  int failed(const Error& error) const;
};

[[nodiscard]] int exit_code_for(ErrorKind kind);

/// The settings of this program: the common ones and its own.
[[nodiscard]] const std::vector<config::Setting>& settings();

/// All commands, in the order of the help.
[[nodiscard]] std::span<const Command> commands();

/// The program. `arguments`: argv without argv[0].
int run(std::vector<std::string> arguments);

// The commands. Each returns an exit code.
int run_chat(const Context& context);
int run_topics_apply(const Context& context);
int run_topics_check(const Context& context);
int run_topics_list(const Context& context);
int run_topics_acls(const Context& context);
int run_topics_tail(const Context& context);
int run_migrate(const Context& context);
int run_registry_list(const Context& context);
int run_registry_sync(const Context& context);
int run_registry_parameters(const Context& context);
int run_registry_republish(const Context& context);
int run_org_create(const Context& context);
int run_org_list(const Context& context);
int run_registry_show(const Context& context);
int run_registry_add(const Context& context);
int run_registry_set(const Context& context);
int run_registry_enable(const Context& context);
int run_registry_disable(const Context& context);
int run_registry_block(const Context& context);
int run_registry_unblock(const Context& context);
int run_registry_remove(const Context& context);
int run_registry_default(const Context& context);
int run_registry_alias(const Context& context);
int run_registry_grant(const Context& context);
int run_registry_history(const Context& context);
int run_registry_rollback(const Context& context);
int run_registry_audit(const Context& context);
int run_registry_explain(const Context& context);
int run_registry_test(const Context& context);
int run_registry_held(const Context& context);
int run_registry_decide(const Context& context);
int run_registry_price(const Context& context);
int run_registry_export(const Context& context);
int run_registry_plan(const Context& context);
int run_registry_apply(const Context& context);
int run_registry_inspect(const Context& context);
int run_catalog_update(const Context& context);
int run_catalog_scores(const Context& context);
int run_connections_list(const Context& context);
int run_connections_add(const Context& context);
int run_connections_set(const Context& context);
int run_connections_remove(const Context& context);
int run_connections_test(const Context& context);
int run_credentials_put(const Context& context);
int run_credentials_list(const Context& context);
int run_credentials_revoke(const Context& context);
int run_keys_create(const Context& context);
int run_keys_add(const Context& context);
int run_keys_promote(const Context& context);
int run_keys_rotate(const Context& context);
int run_keys_disable(const Context& context);
int run_keys_status(const Context& context);
int run_keys_rewrap(const Context& context);
int run_auth_token(const Context& context);
int run_doctor(const Context& context);
int run_tail(const Context& context);
int run_verify(const Context& context);

}  // namespace tokenrail::cli
