#include "common/providers/newest_calls.hpp"

namespace tokenrail::providers {

void NewestCalls::add(const events::Message& message) {
  // Backwards, so that of two calls with one id the first is what stays.
  for (auto place = message.tool_calls.size(); place-- > 0;) {
    const auto& call = message.tool_calls[place];
    // The key is a view of the call that it leads to.
    calls_.erase(call.id);
    calls_.emplace(call.id, Found{.call = &call, .place = place});
  }
}

NewestCalls::Found NewestCalls::find(std::string_view id) const {
  const auto found = id.empty() ? calls_.end() : calls_.find(id);
  return found == calls_.end() ? Found{} : found->second;
}

}  // namespace tokenrail::providers
