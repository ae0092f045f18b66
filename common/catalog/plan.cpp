#include "common/catalog/plan.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <fmt/core.h>

namespace tokenrail::catalog {

namespace {

using Kind = PlannedEntry::Kind;

constexpr std::size_t changes_max = 32;

std::map<PriceKey, std::int64_t> by_key(const std::vector<Price>& list) {
  std::map<PriceKey, std::int64_t> prices;
  for (const auto& price : list) prices[price.key] = price.micros;
  return prices;
}

void compare_text(std::vector<std::string>& changes, const char* name, const std::string& before,
                  const std::string& after) {
  if (before != after)
    changes.push_back(
        fmt::format("{} {} -> {}", name, before.empty() ? "unknown" : before, after.empty() ? "unknown" : after));
}

void compare_limit(std::vector<std::string>& changes, const char* name, const std::optional<std::int64_t>& before,
                   const std::optional<std::int64_t>& after) {
  const auto text = [](const std::optional<std::int64_t>& limit) {
    return limit ? fmt::format("{}", *limit) : std::string();
  };
  compare_text(changes, name, text(before), text(after));
}

std::vector<std::string> changes_between(const Row& before, const Row& after) {
  std::vector<std::string> changes;
  const auto old_prices = by_key(before.prices);
  const auto new_prices = by_key(after.prices);
  for (const auto& [key, micros] : new_prices) {
    const auto old = old_prices.find(key);
    if (old == old_prices.end())
      changes.push_back(fmt::format("{} unknown -> {}", words_of(key), dollars(micros)));
    else if (old->second != micros)
      changes.push_back(fmt::format("{} {} -> {}", words_of(key), dollars(old->second), dollars(micros)));
  }
  for (const auto& [key, micros] : old_prices)
    if (!new_prices.contains(key)) changes.push_back(fmt::format("{} {} -> unknown", words_of(key), dollars(micros)));
  compare_text(changes, "kind", before.kind, after.kind);
  compare_text(changes, "displayName", before.display_name, after.display_name);
  compare_text(changes, "family", before.family, after.family);
  compare_text(changes, "lifecycle", before.lifecycle, after.lifecycle);
  compare_text(changes, "releaseDate", before.release_date, after.release_date);
  compare_text(changes, "retiresOn", before.retires_on, after.retires_on);
  compare_limit(changes, "contextWindow", before.context_window, after.context_window);
  compare_limit(changes, "inputTokensMax", before.input_tokens_max, after.input_tokens_max);
  compare_limit(changes, "outputTokensMax", before.output_tokens_max, after.output_tokens_max);
  compare_limit(changes, "embeddingDimensions", before.embedding_dimensions, after.embedding_dimensions);
  if (before.open_weights != after.open_weights) changes.emplace_back("openWeights");
  if (before.capabilities != after.capabilities) changes.emplace_back("capabilities");
  if (changes.size() > changes_max) changes.resize(changes_max);
  return changes;
}

std::vector<std::string> prices_in_words(const Row& row) {
  std::vector<std::string> words;
  for (const auto& price : row.prices) {
    if (words.size() == changes_max) break;
    words.push_back(fmt::format("{} {}", words_of(price.key), dollars(price.micros)));
  }
  return words;
}

struct Limit {
  const char* field;
  const char* words;
  std::optional<std::int64_t> Row::* value;
};
constexpr std::array limits{Limit{"contextWindow", "the context window", &Row::context_window},
                            Limit{"inputTokensMax", "the limit of input tokens", &Row::input_tokens_max},
                            Limit{"outputTokensMax", "the limit of output tokens", &Row::output_tokens_max}};
constexpr std::string_view capability_prefix = "capabilities.";

/// Sets the fields that Belief::held names as another row has them.
void set_fields(Row& row, const std::set<std::string>& fields, const Row& from) {
  for (const auto& field : fields) {
    if (field == "prices") row.prices = from.prices;
    for (const auto& limit : limits)
      if (field == limit.field) row.*limit.value = from.*limit.value;
    if (!field.starts_with(capability_prefix)) continue;
    const auto name = field.substr(capability_prefix.size());
    if (const auto has = from.capabilities.find(name); has == from.capabilities.end())
      row.capabilities.erase(name);
    else
      row.capabilities[name] = has->second;
  }
}

/// The entry says again what a person rejected.
bool repeats_rejected(const Row& row, const Belief& belief, const KnownEntry& known) {
  if (!known.rejected) return false;
  auto rejected = belief.row;
  set_fields(rejected, belief.held, *known.rejected);
  return rejected == row;
}

/// Nothing: the entry is as it is stored.
std::optional<PlannedEntry> plan_known(const Row& row, const KnownEntry& known, bool accept_held) {
  PlannedEntry planned{.kind = Kind::changed, .row = row, .changes = changes_between(known.row, row)};
  if (known.gone) planned.changes.insert(planned.changes.begin(), "listed again");
  if (row == known.row) {
    if (!known.gone && !known.held && !known.rejected) return std::nullopt;
    if (!known.gone) planned.kind = Kind::released;
    return planned;
  }
  if (accept_held) return planned;
  auto belief = believe(known.row, row);
  if (belief.held.empty()) return planned;
  planned.keeps_rejected = repeats_rejected(row, belief, known);
  if (planned.keeps_rejected) {
    if (belief.row == known.row && !known.gone) return std::nullopt;
    planned.changes = changes_between(known.row, belief.row);
  } else {
    planned.kind = Kind::held;
    planned.reason = std::move(belief.reason);
  }
  planned.counts = std::move(belief.row);
  return planned;
}

}  // namespace

std::string_view name_of(Kind kind) {
  constexpr std::array<std::string_view, 5> names{"added", "changed", "held", "released", "gone"};
  return names.at(static_cast<std::size_t>(kind));
}

std::size_t Plan::count(Kind kind) const {
  return static_cast<std::size_t>(std::ranges::count(entries, kind, &PlannedEntry::kind));
}

Result<Plan> plan_import(const Catalog& catalog, const std::vector<KnownEntry>& known, bool accept_held) {
  std::map<std::pair<std::string_view, std::string_view>, const KnownEntry*> stored;
  std::size_t listed_before = 0;
  for (const auto& entry : known) {
    stored[{entry.row.provider, entry.row.model_name}] = &entry;
    if (!entry.gone) ++listed_before;
  }
  if (!accept_held && catalog.entries.size() * 2 < listed_before)
    return std::unexpected(
        Error{.kind = ErrorKind::conflict,
              .detail = fmt::format("The catalogue has {} entries, and {} are known: less than half.",
                                    catalog.entries.size(), listed_before),
              .hint = "Check the file. With --accept-held it is imported."});
  Plan plan;
  for (const auto& entry : catalog.entries) {
    const auto found = stored.find({entry.row.provider, entry.row.model_name});
    if (found == stored.end()) {
      plan.entries.push_back({.kind = Kind::added, .row = entry.row, .changes = prices_in_words(entry.row)});
      continue;
    }
    auto planned = plan_known(entry.row, *found->second, accept_held);
    const auto& before = *found->second;
    stored.erase(found);
    if (!planned) {
      ++plan.unchanged;
    } else if (planned->kind == Kind::held && before.held == planned->row && before.row == planned->counts &&
               !before.gone) {
      ++plan.held_already;
    } else {
      plan.entries.push_back(std::move(*planned));
    }
  }
  for (const auto& entry : known)
    if (!entry.gone && stored.contains({entry.row.provider, entry.row.model_name}))
      plan.entries.push_back({.kind = Kind::gone, .row = entry.row});
  return plan;
}

std::string suspicion_of(const std::vector<Price>& before, const std::vector<Price>& after) {
  const auto new_prices = by_key(after);
  for (const auto& [key, old] : by_key(before)) {
    const auto found = new_prices.find(key);
    // Else a price that goes and comes back ten times as high would count at once.
    if (found == new_prices.end())
      return fmt::format("{} {} -> unknown: it would have no price", words_of(key), dollars(old));
    const auto micros = found->second;
    if (micros == old) continue;
    const auto words = fmt::format("{} {} -> {}", words_of(key), dollars(old), dollars(micros));
    if (old == 0) return words + ": it was free";
    if (micros == 0) return words + ": it becomes free";
    constexpr std::int64_t factor = 10;
    if (micros / factor >= old || old / factor >= micros) return words + ": ten times or more";
  }
  return {};
}

Belief believe(const Row& before, const Row& after) {
  Belief belief{.row = after};
  const auto hold = [&](std::string field, const std::string& why) {
    belief.held.insert(std::move(field));
    if (!belief.reason.empty()) belief.reason += "; ";
    belief.reason += why;
  };
  if (const auto why = suspicion_of(before.prices, after.prices); !why.empty()) hold("prices", why);
  for (const auto& limit : limits) {
    const auto& was = before.*limit.value;
    const auto& is = after.*limit.value;
    if (was && !is) hold(limit.field, fmt::format("{} of {} would become unknown", limit.words, *was));
    if (was && is && *is < *was)
      hold(limit.field, fmt::format("{} would shrink from {} to {}", limit.words, *was, *is));
  }
  for (const auto& [name, had] : before.capabilities) {
    if (!had) continue;
    const auto has = after.capabilities.find(name);
    if (has != after.capabilities.end() && has->second) continue;
    hold(fmt::format("{}{}", capability_prefix, name),
         fmt::format("the capability {} would become {}", name,
                     has == after.capabilities.end() ? "unknown" : "unsupported"));
  }
  set_fields(belief.row, belief.held, before);
  return belief;
}

std::string dollars(std::int64_t micros) {
  constexpr std::int64_t million = 1'000'000;
  auto text = fmt::format("{}.{:06}", micros / million, micros % million);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string words_of(const PriceKey& key) {
  std::string words(name_of(key.dimension));
  if (key.tier != ServiceTier::standard) words += fmt::format("/{}", name_of(key.tier));
  if (key.min_context_tokens != 0) words += fmt::format("@{}", key.min_context_tokens);
  const auto& [from, to] = key.window;
  if (!key.window.whole_day()) words += fmt::format("@{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60);
  return words;
}

}  // namespace tokenrail::catalog
