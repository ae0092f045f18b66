#include "common/registry/near_names.hpp"

#include <algorithm>

namespace tokenrail::registry {

namespace {

// More wrong letters than this are no slip, however long the name is.
constexpr std::size_t edits_max_ever = 8;

void append_lower(std::string& out, std::string_view text) {
  for (const char c : text) out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

NearNames::NearNames(std::string_view asked, std::size_t count_max)
    : count_max_(count_max), edits_max_(std::clamp<std::size_t>(asked.size() / 4, 1, edits_max_ever)) {
  if (asked.size() <= name_bytes_max) append_lower(wanted_, asked);
}

bool NearNames::look_at(std::string_view provider, std::string_view name) {
  if (wanted_.empty() || count_max_ == 0 || names_seen_ == names_max || cells() >= cells_max) return false;
  ++names_seen_;
  const std::size_t size = (provider.empty() ? 0 : provider.size() + 1) + name.size();
  if (name.empty() || size > name_bytes_max) return true;
  candidate_.clear();
  if (!provider.empty()) {
    append_lower(candidate_, provider);
    candidate_ += '/';
  }
  append_lower(candidate_, name);

  const std::string_view wanted = wanted_;
  const std::string_view candidate = candidate_;
  const auto [shorter, longer] = std::minmax({wanted.size(), size});
  if (candidate.contains(wanted) || (size >= 4 && wanted.contains(candidate))) {
    keep(longer - shorter, provider, name);
  } else if (const auto edits = distance_.within(wanted, candidate, edits_max_)) {
    keep(*edits, provider, name);
  }
  return true;
}

void NearNames::keep(std::size_t distance, std::string_view provider, std::string_view name) {
  if (near_.size() == count_max_ && distance > near_.back().first) return;
  std::string whole(provider);
  if (!provider.empty()) whole += '/';
  whole += name;
  // The same model may be in several scopes.
  if (std::ranges::any_of(near_, [&](const auto& kept) { return kept.second == whole; })) return;
  std::pair entry(distance, std::move(whole));
  near_.insert(std::ranges::lower_bound(near_, entry), std::move(entry));
  if (near_.size() > count_max_) near_.pop_back();
}

std::vector<std::string> NearNames::found() const {
  std::vector<std::string> names;
  names.reserve(near_.size());
  for (const auto& [distance, name] : near_) names.push_back(name);
  return names;
}

}  // namespace tokenrail::registry
