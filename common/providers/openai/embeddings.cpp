// POST /v1/embeddings.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <openssl/evp.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/providers/openai/openai.hpp"
#include "common/providers/profile.hpp"
#include "common/providers/vectors.hpp"

namespace tokenrail::providers::openai {

namespace {

using events::ObjectReader;

std::unexpected<Error> unreadable(std::string_view what) {
  return fail(ErrorKind::unavailable, fmt::format("the answer to /embeddings cannot be used: {}", what));
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const auto length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                      static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(length) - (text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U));
  return out;
}

template <class Number>
std::vector<float> numbers_of(std::string_view bytes) {
  static_assert(std::endian::native == std::endian::little, "the wire has little-endian numbers");
  std::vector<float> out;
  out.reserve(bytes.size() / sizeof(Number));
  for (std::size_t at = 0; at + sizeof(Number) <= bytes.size(); at += sizeof(Number)) {
    Number number = 0;
    std::memcpy(&number, bytes.data() + at, sizeof(Number));
    out.push_back(static_cast<float>(number));
  }
  return out;
}

/// Whether the bytes are doubles, as older vLLM writes them. They were made of floats of 16 bits, so the lower half of
/// each is zero; of a vector of floats every second number would be.
bool are_doubles(std::string_view bytes) {
  constexpr std::size_t certain_from = 8 * sizeof(double);
  if (bytes.size() % sizeof(double) != 0 || bytes.size() < certain_from) return false;
  const auto floats = numbers_of<float>(bytes);
  bool lower_halves_zero = true;
  for (std::size_t i = 0; i < floats.size(); i += 2) lower_halves_zero = lower_halves_zero && floats[i] == 0;
  return lower_halves_zero;
}

std::optional<std::vector<float>> vector_of(simdjson::dom::element element) {
  if (const auto text = events::string_of(element)) {
    const auto bytes = base64_decoded(*text);
    if (!bytes || bytes->size() % sizeof(float) != 0) return std::nullopt;
    auto numbers = are_doubles(*bytes) ? numbers_of<double>(*bytes) : numbers_of<float>(*bytes);
    if (!std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); })) return std::nullopt;
    return numbers;
  }
  return vector_from_list(element);
}

}  // namespace

Result<http::Request> embed_request(const Embedder::Request& request, const Target& target, std::string url,
                                    const ChatProfile& profile) {
  if (request.texts.empty()) return fail(ErrorKind::invalid_input, "there is no text to embed; give at least one");
  http::Request out;
  out.method = "POST";
  out.url = std::move(url);
  out.headers.push_back({.name = "Content-Type", .value = "application/json"});
  out.headers.push_back({.name = "Accept", .value = "application/json"});
  authorise(out, target.credential);
  events::JsonWriter json(out.body);
  json.begin_object();
  json.field("model", target.upstream_name);
  json.begin_array("input");
  for (const auto& text : request.texts) json.element(text);
  json.end_array();
  if (request.dimensions) json.field(profile.embedding_dimensions, *request.dimensions);
  json.end_object();
  return out;
}

Result<Embedder::Answer> parse_embeddings(std::string_view body) {
  const events::JsonDocument document(body);
  if (document.error() != simdjson::SUCCESS) return unreadable("it is not JSON");
  const ObjectReader root(document.root());
  const auto data = root.find("data");
  simdjson::dom::array entries;
  if (!data || data->get_array().get(entries) != simdjson::SUCCESS) return unreadable("it has no list under \"data\"");
  std::vector<std::pair<std::int64_t, std::vector<float>>> found;
  for (const auto entry : entries) {
    const ObjectReader reader(entry);
    const auto at = static_cast<std::int64_t>(found.size());
    const auto embedding = reader.find("embedding");
    auto vector = embedding ? vector_of(*embedding) : std::nullopt;
    // A vector that is left out would give the texts behind it the wrong one.
    if (!vector) return unreadable(fmt::format("entry {} has no vector", at + 1));
    found.emplace_back(reader.integer("index", at), std::move(*vector));
  }
  std::ranges::sort(found, {}, &std::pair<std::int64_t, std::vector<float>>::first);
  Embedder::Answer answer;
  for (auto& [index, vector] : found) {
    if (index != static_cast<std::int64_t>(answer.vectors.size())) return unreadable("its indexes have gaps");
    answer.vectors.push_back(std::move(vector));
  }
  if (const auto usage = root.find("usage")) {
    const auto tokens = ObjectReader(*usage).integer_if("prompt_tokens");
    if (tokens && *tokens >= 0) answer.input_tokens = tokens;
  }
  return answer;
}

}  // namespace tokenrail::providers::openai
