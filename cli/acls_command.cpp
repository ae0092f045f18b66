// `tokenrail topics acls`: the table of cli/acls.hpp as commands, as JSON, or as a page.
#include <fmt/format.h>

#include "cli/acls.hpp"
#include "cli/context.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::cli {
namespace {

std::string json_of(const Acl& acl, std::string_view principal) {
  std::string line;
  events::JsonWriter json(line);
  json.begin_object();
  json.field("principal", principal);
  json.field("resource", name_of(acl.resource));
  json.field("name", acl.name);
  json.field("operation", acl.operation);
  json.field("reason", acl.reason);
  json.end_object();
  return line;
}

}  // namespace

int run_topics_acls(const Context& context) {
  const auto program = context.call.value("program").value_or("router");
  const auto principal = context.call.value("principal");
  if (!principal || principal->find(':') == std::string::npos || principal->ends_with(':')) {
    return context.failed(
        Error{ErrorKind::invalid_input,
              fmt::format("--principal {}: who gets the rights is needed, as Kafka writes it: User:tokenrail-{}",
                          principal.value_or("(missing)"), program)});
  }
  const AclNames names{.prefix = context.values.text("topic.prefix"),
                       .group = context.call.value("group").value_or("tokenrail-router")};
  const auto acls = acls_of(program, names);
  if (!acls) return context.failed(acls.error());
  if (context.json()) {
    for (const auto& acl : *acls) context.terminal.out_line(json_of(acl, *principal));
    return exit_done;
  }
  for (const auto& command : acl_commands(*acls, *principal, context.bootstrap_servers()))
    context.terminal.out_line(command);
  context.terminal.note("nothing was changed: run these with a client of Kafka that may alter the cluster's ACLs");
  return exit_done;
}

}  // namespace tokenrail::cli
