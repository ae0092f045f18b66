// `tokenrail registry held` and `tokenrail registry decide`: changes of providers' lists and of catalogues that look
// wrong.
#include <fmt/format.h>

#include "cli/database.hpp"
#include "cli/govern.hpp"
#include "common/registry/held_changes.hpp"

namespace tokenrail::cli {

int run_registry_held(const Context& context) {
  registry::GovernedDatabase database(database_options(context));
  registry::HeldChanges held(database);
  const auto actor = actor_of(context);
  const auto changes = all_pages([&](const auto& page) { return held.list(actor, scope_of(context), page); });
  const int exit = show_documents(context, changes,
                                  {{"ID", "id"},
                                   {"SINCE", "since"},
                                   {"CONNECTION", "connection"},
                                   {"CATALOGUE", "catalog"},
                                   {"MODEL", "model"},
                                   {"WHY", "reason"}},
                                  "nothing waits for a decision");
  if (changes && !changes->empty() && !context.json())
    context.terminal.note("'tokenrail registry decide ID accept|reject' decides one of them");
  return exit;
}

int run_registry_decide(const Context& context) {
  using Decision = registry::HeldChanges::Decision;
  const auto& word = context.call.arguments[1];
  if (word != "accept" && word != "reject")
    return context.failed(
        Error{ErrorKind::invalid_input, fmt::format("'{}' is not a decision: write accept or reject", word)});
  const bool accept = word == "accept";
  registry::GovernedDatabase database(database_options(context));
  return show_change(context,
                     registry::HeldChanges(database).decide(
                         actor_of(context), scope_of(context), context.call.arguments[0],
                         accept ? Decision::accept : Decision::reject, context.call.value("reason").value_or("")),
                     accept ? "the change is applied; registry-sync publishes it, and routers follow"
                            : "the registry stays as it is while the list or the catalogue repeats the change");
}

}  // namespace tokenrail::cli
