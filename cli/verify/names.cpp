#include "cli/verify/names.hpp"

#include <functional>

namespace tokenrail::verify {
namespace {

std::string text_of(std::string_view org_id, std::string_view request_id) {
  std::string text(org_id);
  text.push_back('\0');
  text.append(request_id);
  return text;
}

}  // namespace

Names::Table::Entry& Names::Table::at(std::size_t hash, std::int32_t partition) {
  const auto [it, fresh] = entries_.try_emplace(hash, Entry{.first = partition});
  if (fresh) {
    order_.push_back(hash);
    if (order_.size() > size_max_) {
      entries_.erase(order_.front());
      order_.pop_front();
    }
  }
  return it->second;
}

bool Names::asked(std::string_view org_id, std::string_view request_id, std::int32_t partition) {
  auto& entry = requests_.at(std::hash<std::string>{}(text_of(org_id, request_id)), partition);
  if (entry.first == partition || entry.elsewhere) return false;
  entry.elsewhere = true;
  return true;
}

std::optional<std::int32_t> Names::attempted(std::string_view org_id, std::string_view request_id, std::int64_t number,
                                             std::int32_t partition) {
  auto text = text_of(org_id, request_id);
  text.push_back('\0');
  text.append(std::to_string(number));
  const auto& entry = attempts_.at(std::hash<std::string>{}(text), partition);
  return entry.first == partition ? std::nullopt : std::optional(entry.first);
}

}  // namespace tokenrail::verify
