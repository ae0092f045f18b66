#include "common/topics/names.hpp"

namespace tokenrail::topics {

Names Names::with_prefix(std::string_view prefix) {
  Names names;
  for (auto* name : {&names.requests, &names.chunks, &names.audit, &names.dlq, &names.cancellations, &names.registry,
                     &names.registry_events, &names.credentials})
    name->insert(0, prefix);
  return names;
}

std::vector<std::string> Names::all() const {
  return {requests, chunks, audit, dlq, cancellations, registry, registry_events, credentials};
}

}  // namespace tokenrail::topics
