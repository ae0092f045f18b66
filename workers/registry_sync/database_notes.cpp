#include "workers/registry_sync/database_notes.hpp"

#include <spdlog/spdlog.h>

namespace tokenrail::registry_sync {

void DatabaseNotes::note(const std::string& part, const std::string& problem) {
  auto& noted = problems_[part];
  if (noted != problem && !problem.empty()) spdlog::error("{}", problem);
  noted = problem;
}

void DatabaseNotes::forget(std::initializer_list<const char*> parts) {
  for (const auto* part : parts) problems_.erase(part);
}

std::string DatabaseNotes::problem() const {
  for (const auto& [part, problem] : problems_)
    if (!problem.empty()) return problem;
  return {};
}

}  // namespace tokenrail::registry_sync
