#include "workers/registry_sync/questions.hpp"

#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include "workers/registry_sync/diff.hpp"

namespace tokenrail::registry_sync {

bool PageTrail::follow(const std::string& next) {
  ++read_;
  if (next.empty()) return false;
  if (read_ >= pages_max_) {
    cut_ = fmt::format("the list has more than {} pages, and the rest was not read", pages_max_);
  } else if (!followed_.insert(next).second) {
    cut_ = fmt::format("page {} of the list leads back to a page that was read, so the list may not be whole", read_);
  }
  return cut_.empty();
}

std::string memory_key(const registry::Connection& connection, const providers::ListedModel& model) {
  return fmt::format("{}\x1f{}\x1f{}", connection.id, details_key(model, connection.id), model.name);
}

Selection select_models(const registry::Connection& connection, std::vector<providers::ListedModel> listed,
                        const std::vector<registry::StoredModel>& stored, std::size_t models_max,
                        std::int64_t stale_before_ms, const std::function<bool(const std::string&)>& known,
                        const std::function<bool(const std::string&)>& in_vain) {
  // The rows contain the details with their key: ask only for what has changed since, and for what is old.
  std::set<std::pair<std::string_view, std::string_view>> settled;
  std::set<std::string_view> held;
  std::size_t taken = 0;
  for (const auto& model : stored) {
    held.insert(model.state.model_name);
    if (model.here) ++taken;
    const bool fresh = !model.details_digest.empty() && model.details_at_ms.value_or(0) >= stale_before_ms;
    if (model.told_elsewhere || fresh)
      settled.emplace(model.state.model_name, model.told_elsewhere ? std::string_view() : model.details_digest);
  }
  Selection selection;
  std::set<std::string> asked;
  std::vector<Question> late;
  for (auto& model : listed) {
    const bool usable = storable_name(model.name) && wanted(connection, model.name);
    if (usable && !held.contains(model.name) && !asked.contains(model.name)) {
      if (taken >= models_max) {
        if (selection.beyond++ == 0) selection.first_beyond = model.name;
        continue;
      }
      ++taken;
    }
    const bool has =
        settled.contains({model.name, details_key(model, connection.id)}) || settled.contains({model.name, ""});
    if (usable && asked.insert(model.name).second && !has) {
      const auto key = memory_key(connection, model);
      if (!known(key)) (in_vain(key) ? late : selection.questions).push_back({.key = key, .name = model.name});
    }
    selection.models.push_back(std::move(model));
  }
  // Else the same few that never answer would keep all others from being asked, run after run.
  selection.questions.insert(selection.questions.end(), std::move_iterator(late.begin()),
                             std::move_iterator(late.end()));
  return selection;
}

}  // namespace tokenrail::registry_sync
