// POST /api/embed.
#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "common/providers/vectors.hpp"

namespace tokenrail::providers::ollama {

namespace {

std::unexpected<Error> unreadable(std::string_view what) {
  return fail(ErrorKind::unavailable, fmt::format("the answer to /api/embed cannot be used: {}", what));
}

}  // namespace

Result<http::Request> embed_texts(const Embedder::Request& request, const Target& target) {
  if (request.texts.empty()) return fail(ErrorKind::invalid_input, "there is no text to embed; give at least one");
  http::Request out;
  out.method = "POST";
  out.url = target.base_url + "/api/embed";
  out.headers.push_back({.name = "Content-Type", .value = "application/json"});
  out.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(out, target.credential);
  events::JsonWriter json(out.body);
  json.begin_object();
  json.field("model", target.upstream_name);
  json.begin_array("input");
  for (const auto& text : request.texts) json.element(text);
  json.end_array();
  if (request.dimensions) json.field("dimensions", *request.dimensions);
  json.end_object();
  return out;
}

Result<Embedder::Answer> parse_embeddings(std::string_view body) {
  const events::JsonDocument document(body);
  if (document.error() != simdjson::SUCCESS) return unreadable("it is not JSON");
  const events::ObjectReader root(document.root());
  const auto list = root.find("embeddings");
  simdjson::dom::array entries;
  if (!list || list->get_array().get(entries) != simdjson::SUCCESS) {
    return unreadable("it has no list under \"embeddings\"");
  }
  Embedder::Answer answer;
  for (const auto entry : entries) {
    auto vector = vector_from_list(entry);
    // A vector that is left out would give the texts behind it the wrong one.
    if (!vector) return unreadable(fmt::format("entry {} has no vector", answer.vectors.size() + 1));
    answer.vectors.push_back(std::move(*vector));
  }
  const auto tokens = root.integer_if("prompt_eval_count");
  if (tokens && *tokens >= 0) answer.input_tokens = tokens;
  return answer;
}

}  // namespace tokenrail::providers::ollama
