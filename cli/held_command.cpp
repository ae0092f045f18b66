// `tokenrail registry held` and `tokenrail registry decide`: changes of providers' lists and of catalogues that look
// wrong.
#include <fmt/format.h>

#include "cli/govern.hpp"
#include "cli/governance.hpp"

namespace tokenrail::cli {

int run_registry_held(const Context& context) {
  return with_governance(context, [&](Governance& governance) {
    const auto changes = all_pages([&](const auto& page) { return governance.held_changes(page); });
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
  });
}

int run_registry_decide(const Context& context) {
  const auto& word = context.call.arguments[1];
  if (word != "accept" && word != "reject")
    return context.failed(
        Error{ErrorKind::invalid_input, fmt::format("'{}' is not a decision: write accept or reject", word)});
  const bool accept = word == "accept";
  const std::string reason(context.call.value("reason").value_or(""));
  return with_governance(context, [&](Governance& governance) {
    return show_change(context, governance.decide(context.call.arguments[0], accept, reason),
                       accept ? "the change is applied; registry-sync publishes it, and routers follow"
                              : "the registry stays as it is while the list or the catalogue repeats the change");
  });
}

}  // namespace tokenrail::cli
