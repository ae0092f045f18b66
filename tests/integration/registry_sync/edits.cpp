#include "tests/integration/registry_sync/edits.hpp"

#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_sync {

Edits EditLog::newest(const std::string& model) const {
  const auto found = edits_.find(model);
  return found == edits_.end() ? Edits{} : found->second.rbegin()->second;
}

void EditLog::add(const std::string& model, std::int64_t version, Edits edits) {
  edits_[model].insert_or_assign(version, std::move(edits));
}

bool EditLog::made(const std::string& model, std::int64_t version) const {
  const auto found = edits_.find(model);
  return found != edits_.end() && found->second.contains(version);
}

void EditLog::check(const events::ModelUpserted& event) const {
  const auto& model = event.model;
  const auto found = edits_.find(model.model_name);
  if (found == edits_.end()) return;
  const auto later = found->second.upper_bound(event.version);
  if (later == found->second.begin()) return;
  const auto& edits = std::prev(later)->second;
  SCOPED_TRACE(fmt::format("{} version {} by {}", event.key, event.version, event.cause));
  if (edits.context_window) EXPECT_EQ(model.context_window, edits.context_window);
  if (edits.output_tokens_max) EXPECT_EQ(model.output_tokens_max, edits.output_tokens_max);
  if (edits.tag) EXPECT_EQ(model.tags, std::vector{*edits.tag});
  if (edits.display_name) EXPECT_EQ(model.display_name, *edits.display_name);
  if (edits.enabled) EXPECT_EQ(model.enabled, *edits.enabled);
  if (edits.tools) {
    const auto has = model.capabilities.find("tools");
    EXPECT_EQ(has == model.capabilities.end() ? events::Support::unknown : has->second, *edits.tools);
  }
  for (const auto& deployment : model.deployments) {
    auto own = Costs();
    for (const auto& connection : {deployment.connection_name, std::string()})
      if (const auto set = edits.prices.find(connection); set != edits.prices.end())
        own.insert(set->second.begin(), set->second.end());
    const auto costs = costs_of(deployment.prices ? *deployment.prices : model.prices);
    for (const auto& [dimension, micros] : own) {
      const auto cost = costs.find(dimension);
      EXPECT_TRUE(cost != costs.end() && cost->second == micros)
          << "the price of " << name_of(dimension) << " on " << deployment.connection_name << " is not the person's";
    }
  }
}

}  // namespace tokenrail::registry_sync
