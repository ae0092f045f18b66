#include "common/providers/ranking.hpp"

#include <algorithm>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"

namespace tokenrail::providers {

std::string rerank_body(const Reranker::Request& request, std::string_view model) {
  std::string body;
  events::JsonWriter json(body);
  json.begin_object();
  json.field("model", model);
  json.field("query", request.query);
  json.begin_array("documents");
  for (const auto& document : request.documents) json.element(document);
  json.end_array();
  if (request.top) json.field("top_n", *request.top);
  json.end_object();
  return body;
}

std::expected<Reranker::Answer, std::string_view> read_ranking(std::string_view body) {
  const events::JsonDocument document(body);
  if (document.error() != simdjson::SUCCESS) return std::unexpected("is not JSON");
  const auto results = events::ObjectReader(document.root()).find("results");
  if (!results || !results->is_array()) return std::unexpected("has no list under \"results\"");
  Reranker::Answer answer;
  for (const auto entry : simdjson::dom::array(results->get_array().value_unsafe())) {
    const events::ObjectReader result(entry);
    const auto index = result.integer_if("index");
    const auto score = result.find("relevance_score");
    const auto number = score ? events::number_of(*score) : std::nullopt;
    if (!index || *index < 0 || !number) return std::unexpected("has a result without index or relevance_score");
    answer.scores.emplace_back(*index, *number);
  }
  std::ranges::sort(answer.scores, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  return answer;
}

}  // namespace tokenrail::providers
