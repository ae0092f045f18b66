#include "workers/registry_sync/facts.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/core.h>

#include "common/events/json_writer.hpp"
#include "common/registry/text.hpp"

namespace tokenrail::registry_sync {

namespace {

using events::Support;

constexpr std::size_t text_bytes_max = 255;

std::string storable(std::string_view text) {
  return registry::storable(text, text_bytes_max);
}

std::string raw_of(const providers::ListedModel& listed, const providers::ollama::ModelDetails* details) {
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

/// Ollama's words for our capabilities. Where Ollama tells its list, what it leaves out is not supported.
void fill_capabilities(ListedModel& model, const std::set<std::string, std::less<>>& told) {
  struct Word {
    std::string_view theirs;
    std::string_view ours;
  };
  static constexpr std::array<Word, 7> words{{{"completion", "chat"},
                                              {"completion", "streaming"},
                                              {"tools", "tools"},
                                              {"vision", "vision"},
                                              {"thinking", "reasoning"},
                                              {"embedding", "embedding"},
                                              {"insert", "fill_in_middle"}}};
  for (const auto& word : words)
    model.capabilities[std::string(word.ours)] = told.contains(word.theirs) ? Support::supported : Support::unsupported;
  if (told.contains("completion")) return;
  if (told.contains("embedding")) {
    model.kind = "embedding";
  } else if (told.contains("image")) {
    model.kind = "image";
  } else {
    model.kind = "other";
  }
}

}  // namespace

bool storable_name(std::string_view name) {
  return !name.empty() && registry::is_storable(name, text_bytes_max);
}

std::string details_key(const providers::ListedModel& listed, std::string_view connection_id) {
  auto digest = storable(listed.digest);
  if (!digest.empty()) return digest;
  return storable(fmt::format("undigested {} {} {}", connection_id, listed.modified_at, listed.name));
}

ListedModel ollama_model(const providers::ListedModel& listed, const providers::ollama::ModelDetails* details,
                         std::string_view connection_id) {
  ListedModel model;
  model.name = listed.name;
  model.digest = storable(listed.digest);
  model.details_key = details_key(listed, connection_id);
  model.family = storable(listed.family);
  model.context_window = listed.context_length;
  model.details_known = details != nullptr;
  model.raw = raw_of(listed, details);
  if (details != nullptr) {
    if (model.family.empty()) model.family = storable(details->architecture);
    if (details->context_length) model.context_window = details->context_length;
  }
  const bool told = (details != nullptr && details->capabilities_known) || !listed.capabilities.empty();
  const auto& words = details != nullptr && details->capabilities_known ? details->capabilities : listed.capabilities;
  if (told && !words.empty()) {
    fill_capabilities(model, {words.begin(), words.end()});
  } else if (const auto& architecture = details != nullptr ? details->architecture : listed.family;
             architecture.contains("bert") || listed.family.contains("bert")) {
    // Servers that do not tell capabilities: the BERT family only embeds.
    model.kind = "embedding";
  }
  if (model.kind == "embedding" && details != nullptr) model.embedding_dimensions = details->embedding_length;
  return model;
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
