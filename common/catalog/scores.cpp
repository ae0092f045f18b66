#include "common/catalog/scores.hpp"

#include <cstdint>
#include <set>
#include <utility>

#include <fmt/core.h>

#include "common/catalog/decimal.hpp"
#include "common/catalog/entry_builder.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;

constexpr std::int64_t whole = 10'000;

std::unexpected<Error> unusable(std::string_view what) {
  return std::unexpected(Error{
      .kind = ErrorKind::invalid_input,
      .detail = fmt::format("The file of scores has no usable {}.", what),
      .hint =
          R"(Write {"source": "…", "date": "2026-08-01", "scores": [{"provider": "…", "modelName": "…", "score": 0.8}]}.)"});
}

}  // namespace

Result<Scores> read_scores(std::string_view text) {
  const auto root = read_json_tree(text);
  if (!root) return std::unexpected(root.error());
  Scores scores;
  EntryBuilder head("");
  head.text(*root, "source", scores.source);
  head.text(*root, "metric", scores.metric);
  head.date_of(*root, "date", scores.date);
  if (scores.source.empty()) return unusable("source");
  if (scores.date.empty()) return unusable("date");
  if (scores.metric.empty() || scores.metric.size() > 64) return unusable("metric");
  const auto* list = root->find("scores");
  if (list == nullptr || !list->is(Kind::list)) return unusable("list of scores");
  std::set<std::pair<std::string, std::string>> seen;
  std::size_t index = 0;
  for (const auto& item : list->items) {
    const auto key = fmt::format("scores[{}]", index++);
    const std::string provider(item.text_of("provider"));
    const std::string name(item.text_of("modelName"));
    const auto* value = item.find("score");
    if (provider.empty() || name.empty()) {
      scores.refused.push_back({key, "it has no provider or no modelName"});
      continue;
    }
    const auto score = value == nullptr || !value->is(Kind::number) ? std::unexpected(std::string_view("not a number"))
                                                                    : scaled(value->text, 4);
    if (!score) {
      scores.refused.push_back({provider + "/" + name, fmt::format("its score is {}", score.error())});
    } else if (score->value > whole) {
      scores.refused.push_back({provider + "/" + name, "its score is above 1"});
    } else if (!seen.emplace(provider, name).second) {
      scores.refused.push_back({provider + "/" + name, "it has a score already"});
    } else {
      scores.scores.push_back({.provider = provider,
                               .model_name = name,
                               .score = fmt::format("{}.{:04}", score->value / whole, score->value % whole)});
    }
  }
  return scores;
}

}  // namespace tokenrail::catalog
