#include "common/providers/call_ids.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>

#include "common/events/utf8.hpp"

namespace tokenrail::providers {

namespace {

constexpr std::size_t mark_bytes = 9;  // "_" and eight digits

/// Depends on the id alone, so that every router writes the same.
std::string mark_of(std::string_view id) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;  // FNV-1a
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  return fmt::format("_{:08x}", static_cast<std::uint32_t>(hash ^ (hash >> 32U)));
}

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

}  // namespace

std::string CallIds::call(const std::string& id) {
  auto sent = accepted(id);
  if (!used_.insert(sent).second) {
    // From where the last one ended: a search from 2 for each would be a square of the calls of one id.
    auto& again = next_.try_emplace(sent, 2U).first->second;
    do {
      sent = accepted(fmt::format("{}_{}", id, again++));
    } while (!used_.insert(sent).second);
  }
  return sent_[id] = sent;
}

std::string CallIds::result(const std::string& id) const {
  const auto found = sent_.find(id);
  return found == sent_.end() ? accepted(id) : found->second;
}

std::string CallIds::accepted(std::string id) const {
  if (id.empty()) return "call";
  if (rules_.bytes_max > mark_bytes && id.size() > rules_.bytes_max) {
    id = std::string(events::utf8_prefix(id, rules_.bytes_max - mark_bytes)) + mark_of(id);
  }
  if (rules_.plain) std::ranges::replace_if(id, [](char c) { return !is_plain(c); }, '_');
  return id;
}

}  // namespace tokenrail::providers
