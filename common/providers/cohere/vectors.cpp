#include "common/providers/cohere/vectors.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/cohere/endpoints.hpp"
#include "common/providers/other_api.hpp"
#include "common/providers/ranking.hpp"
#include "common/providers/vectors.hpp"

namespace tokenrail::providers::cohere {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t texts_max = 96;
constexpr std::size_t documents_max = 10'000;

std::unexpected<Error> not_it(std::string_view body, std::string_view path, std::string_view what) {
  if (auto other = other_api_text(body, "cohere"); !other.empty()) return fail(ErrorKind::unavailable, other);
  return fail(ErrorKind::unavailable,
              fmt::format("the answer to {} {}; check that the base URL is Cohere's", path, what));
}

Result<void> check_count(std::string_view what, std::size_t count, std::size_t max) {
  if (count >= 1 && count <= max) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("Cohere takes 1 to {} {} in one call, but there are {}", max, what, count));
}

class CohereEmbedder final : public Embedder {
 public:
  [[nodiscard]] Result<http::Request> embed(const Request& request, const Target& target) const override {
    if (const auto fits = check_count("texts", request.texts.size(), texts_max); !fits) {
      return std::unexpected(fits.error());
    }
    std::string body;
    events::JsonWriter json(body);
    json.begin_object();
    json.field("model", target.upstream_name);
    // Required; the type under which texts are stored. Queries of a search would have a type of their own.
    json.field("input_type", "search_document");
    json.begin_array("embedding_types");
    json.element("float");
    json.end_array();
    if (request.dimensions) json.field("output_dimension", *request.dimensions);
    json.begin_array("texts");
    for (const auto& text : request.texts) json.element(text);
    json.end_array();
    json.end_object();
    return post(target, "/v2/embed", std::move(body));
  }

  [[nodiscard]] Result<Answer> parse(std::string_view body) const override {
    const events::JsonDocument document(body);
    if (document.error() != simdjson::SUCCESS) return not_it(body, path, "is not JSON");
    const events::ObjectReader root(document.root());
    const auto embeddings = root.find("embeddings");
    // By type, as asked for; a list where a server answers as version 1 does.
    const auto vectors =
        embeddings && embeddings->is_object() ? events::ObjectReader(*embeddings).find("float") : embeddings;
    if (!vectors || !vectors->is_array()) return not_it(body, path, "has no vectors under \"embeddings\"");
    Answer answer;
    for (const auto vector : simdjson::dom::array(vectors->get_array().value_unsafe())) {
      auto numbers = vector_from_list(vector);
      if (!numbers) return not_it(body, path, "has a vector that is not a list of numbers");
      answer.vectors.push_back(std::move(*numbers));
    }
    const auto meta = root.find("meta");
    const auto billed = meta ? events::ObjectReader(*meta).find("billed_units") : std::nullopt;
    if (billed) answer.input_tokens = events::ObjectReader(*billed).integer_if("input_tokens");
    return answer;
  }

 private:
  static constexpr std::string_view path = "/v2/embed";
};

class CohereReranker final : public Reranker {
 public:
  [[nodiscard]] Result<http::Request> rerank(const Request& request, const Target& target) const override {
    if (const auto fits = check_count("documents", request.documents.size(), documents_max); !fits) {
      return std::unexpected(fits.error());
    }
    return post(target, "/v2/rerank", rerank_body(request, target.upstream_name));
  }

  [[nodiscard]] Result<Answer> parse(std::string_view body) const override {
    auto answer = read_ranking(body);
    if (!answer) return not_it(body, path, answer.error());
    return std::move(*answer);
  }

 private:
  static constexpr std::string_view path = "/v2/rerank";
};

}  // namespace

const Embedder& embedder() {
  static const CohereEmbedder embedder;
  return embedder;
}

const Reranker& reranker() {
  static const CohereReranker reranker;
  return reranker;
}

}  // namespace tokenrail::providers::cohere
