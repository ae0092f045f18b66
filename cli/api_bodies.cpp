#include "cli/api_bodies.hpp"

#include <optional>
#include <utility>

#include <simdjson.h>

#include "cli/govern.hpp"
#include "common/catalog/row_json.hpp"

namespace tokenrail::cli {

std::unexpected<Error> no_api_answer() {
  return fail(ErrorKind::unavailable,
              "the answer is not one of a registry API; check that TOKENRAIL_API_URL is its address");
}

std::string text_field(std::string_view value) {
  return value.empty() ? std::string() : json_text(value);
}

Result<catalog::KnownEntry> known_entry(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(json).get(root) != simdjson::SUCCESS) return no_api_answer();
  const auto provider = member_of(json, "provider");
  const auto name = member_of(json, "modelName");
  catalog::KnownEntry known;
  bool gone = false;
  if (root["gone"].get_bool().get(gone) == simdjson::SUCCESS) known.gone = gone;
  const auto row = [&](const char* member) -> Result<std::optional<catalog::Row>> {
    simdjson::dom::object object;
    if (root[member].get_object().get(object) != simdjson::SUCCESS) return std::nullopt;
    auto read = catalog::parse_row(provider, name, simdjson::minify(object));
    if (!read) return std::unexpected(read.error());
    return std::optional(std::move(*read));
  };
  auto entry = row("entry");
  auto held = row("held");
  auto rejected = row("rejected");
  if (!entry || !held || !rejected || !*entry) return no_api_answer();
  known.row = std::move(**entry);
  known.held = std::move(*held);
  known.rejected = std::move(*rejected);
  return known;
}

std::string json_of_entries(std::span<const catalog::PlannedEntry> entries) {
  std::string json = "[";
  for (const auto& entry : entries) {
    json += json.size() > 1 ? "," : "";
    json += object_of({{"kind", json_text(catalog::name_of(entry.kind))},
                       {"provider", json_text(entry.row.provider)},
                       {"modelName", json_text(entry.row.model_name)},
                       {"entry", catalog::to_json(entry.row)},
                       {"counts", entry.counts ? catalog::to_json(*entry.counts) : std::string()},
                       {"reason", text_field(entry.reason)},
                       {"keepsRejected", entry.keeps_rejected ? "true" : ""}});
  }
  return json + "]";
}

std::string json_of_scores(std::span<const registry::QualityScore> scores) {
  std::string json = "[";
  for (const auto& score : scores) {
    json += json.size() > 1 ? "," : "";
    json += object_of({{"provider", json_text(score.provider)},
                       {"modelName", json_text(score.model_name)},
                       {"metric", json_text(score.metric)},
                       {"source", json_text(score.source)},
                       {"score", json_text(score.score)},
                       {"date", json_text(score.date)}});
  }
  return json + "]";
}

}  // namespace tokenrail::cli
