#include "workers/registry_sync/facts.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/events/json_writer.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry_sync {

namespace {

constexpr std::size_t text_bytes_max = 255;
constexpr std::size_t digest_bytes_max = text_bytes_max - 17;  ///< beside a blank and a hash

/// FNV-1a over words. It is kept in the database, so it must not change between versions and machines.
class WordHash {
 public:
  void add(std::string_view word) {
    for (const char c : word) step(static_cast<unsigned char>(c));
    step(0x1f);
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

 private:
  void step(unsigned char byte) { value_ = (value_ ^ byte) * 0x100000001b3U; }
  std::uint64_t value_ = 0xcbf29ce484222325U;
};

std::string storable(std::string_view text) {
  return registry::storable(text, text_bytes_max);
}

std::string raw_of(const providers::ListedModel& listed, const providers::ModelDetails* details) {
  std::string out;
  events::JsonWriter json(out);
  json.begin_object();
  json.field("digest", storable(listed.digest));
  json.field("family", storable(listed.family));
  json.field("parameterSize", storable(listed.parameter_size));
  json.field("quantization", storable(listed.quantization));
  json.field("sizeBytes", listed.size_bytes);
  json.field("modifiedAt", storable(listed.modified_at));
  if (details != nullptr) {
    json.field("architecture", storable(details->architecture));
    if (details->parameter_count) json.field("parameterCount", *details->parameter_count);
    if (details->capabilities_known) {
      json.begin_array("capabilities");
      for (const auto& word : details->capabilities) json.element(storable(word));
      json.end_array();
    }
  }
  json.end_object();
  return out;
}

std::string answer_of(const providers::ListedModel& listed, std::string_view details) {
  std::string out;
  if (listed.raw.empty() && details.empty()) return out;
  events::JsonWriter json(out);
  json.begin_object();
  if (!listed.raw.empty()) json.raw_field("list", listed.raw);
  if (!details.empty()) json.raw_field("details", details);
  json.end_object();
  return out;
}

}  // namespace

bool storable_name(std::string_view name) {
  return !name.empty() && registry::is_storable(name, text_bytes_max);
}

std::string details_key(const providers::ListedModel& listed, std::string_view connection_id) {
  const auto digest = registry::storable(listed.digest, digest_bytes_max);
  WordHash hash;
  hash.add(connection_id);
  hash.add(listed.name);
  hash.add(listed.server_version);
  hash.add(listed.modified_at);
  hash.add(listed.family);
  hash.add(listed.parameter_size);
  hash.add(listed.quantization);
  hash.add(listed.display_name);
  hash.add(std::to_string(listed.size_bytes));
  hash.add(std::to_string(listed.context_length.value_or(0)));
  hash.add(std::to_string(listed.output_tokens_max.value_or(0)));
  for (const auto& word : listed.capabilities) hash.add(word);
  return fmt::format("{} {:016x}", digest.empty() ? "undigested" : digest, hash.value());
}

ListedModel listed_model(const providers::ModelLister& lister, const providers::ListedModel& listed,
                         const providers::ModelDetails* details, bool asks_details, std::string_view connection_id,
                         std::optional<std::int64_t> details_at_ms, std::string_view details_answer) {
  auto facts = lister.facts(listed, details);
  return {.name = listed.name,
          .digest = storable(listed.digest),
          .details_key = details_key(listed, connection_id),
          .family = storable(facts.family),
          .kind = std::move(facts.kind),
          .display_name = storable(facts.display_name),
          .context_window = facts.context_window,
          .output_tokens_max = facts.output_tokens_max,
          .embedding_dimensions = facts.embedding_dimensions,
          .capabilities = std::move(facts.capabilities),
          .prices = listed.prices,
          .details_at_ms = details_at_ms,
          .details_known = details != nullptr || !asks_details,
          .raw = raw_of(listed, details),
          .answer = details == nullptr || !details_answer.empty() ? answer_of(listed, details_answer) : std::string()};
}

bool matches_glob(std::string_view glob, std::string_view name) {
  // The last star takes as little as possible; on a mismatch it takes one character more.
  std::size_t g = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      star_name = n;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++g;
      ++n;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace tokenrail::registry_sync
