// :batchEmbedContents, and what :embedContent answers.
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/gemini/gemini.hpp"

namespace tokenrail::providers::gemini {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t texts_max = 100;

std::unexpected<Error> unreadable(std::string_view what) {
  return fail(ErrorKind::unavailable, fmt::format("Gemini's answer has no usable embeddings: {}", what));
}

Result<std::vector<float>> read_vector(dom::element element) {
  dom::array values;
  if (element["values"].get_array().get(values) != simdjson::SUCCESS) return unreadable("one has no values");
  std::vector<float> out;
  out.reserve(values.size());
  for (const auto value : values) {
    const auto number = events::number_of(value);
    if (!number) return unreadable("a value is not a number");
    out.push_back(static_cast<float>(*number));
    if (!std::isfinite(out.back())) return unreadable("a value is too large");
  }
  if (out.empty()) return unreadable("one is empty");
  return out;
}

class BatchEmbedder final : public Embedder {
 public:
  [[nodiscard]] Result<http::Request> embed(const Request& request, const Target& target) const override {
    if (is_vertex(target.base_url)) {
      return fail(ErrorKind::invalid_input,
                  "embeddings on Vertex AI are not supported; use a connection to the Gemini API");
    }
    if (request.texts.empty() || request.texts.size() > texts_max) {
      return fail(ErrorKind::invalid_input,
                  fmt::format("Gemini embeds 1 to {} texts at once, not {}", texts_max, request.texts.size()));
    }
    http::Request out;
    out.method = "POST";
    out.url = method_url(target, "batchEmbedContents");
    out.headers.push_back({.name = "Content-Type", .value = "application/json"});
    out.headers.push_back({.name = "Accept", .value = "application/json"});
    authorise(out, target.credential);
    events::JsonWriter json(out.body);
    json.begin_object();
    json.begin_array("requests");
    for (const auto& text : request.texts) {
      json.begin_object();
      json.field("model", resource_name(target.upstream_name));
      json.begin_object("content");
      json.begin_array("parts");
      json.begin_object();
      json.field("text", text);
      json.end_object();
      json.end_array();
      json.end_object();
      if (request.dimensions) json.field("outputDimensionality", *request.dimensions);
      json.end_object();
    }
    json.end_array();
    json.end_object();
    return out;
  }

  [[nodiscard]] Result<Answer> parse(std::string_view body) const override {
    const events::JsonDocument document(body);
    if (document.error() != simdjson::SUCCESS) return unreadable("it is not JSON");
    const events::ObjectReader root(document.root());
    Answer out;
    const auto add = [&](dom::element element) -> Result<void> {
      auto vector = read_vector(element);
      if (!vector) return std::unexpected(vector.error());
      out.vectors.push_back(std::move(*vector));
      return {};
    };
    dom::array list;
    if (const auto many = root.find("embeddings"); many && many->get_array().get(list) == simdjson::SUCCESS) {
      for (const auto element : list) {
        if (const auto added = add(element); !added) return std::unexpected(added.error());
      }
    } else if (const auto one = root.find("embedding")) {
      if (const auto added = add(*one); !added) return std::unexpected(added.error());
    }
    if (out.vectors.empty()) return unreadable("there are none");
    if (const auto usage = root.find("usageMetadata")) {
      const auto count = events::ObjectReader(*usage).integer_if("promptTokenCount");
      if (count && *count >= 0) out.input_tokens = count;
    }
    return out;
  }
};

}  // namespace

const Embedder& embedder() {
  static const BatchEmbedder instance;
  return instance;
}

}  // namespace tokenrail::providers::gemini
