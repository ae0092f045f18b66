// What a provider said of a model, in the registry's words. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/events/model_event.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::registry_sync {

/// One entry of a connection's list.
struct ListedModel {
  std::string name;
  std::string digest{};
  std::string details_key{};  ///< what the details go with: the digest, or a stand-in where none is told
  std::string family{};
  std::string kind = "generation";
  std::string display_name{};
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, events::Support> capabilities{};
  bool details_known = false;  ///< false: kind, limits and capabilities above are guesses or nothing
  std::string raw{};           ///< as JSON, for the record
};

/// A name that the registry can hold: 1 to 255 bytes of UTF-8 without control characters.
[[nodiscard]] bool storable_name(std::string_view name);

/// What the details of a listed model go with: its digest, else what tells it from others of this and of other
/// connections and changes when it does.
[[nodiscard]] std::string details_key(const providers::ListedModel& listed, std::string_view connection_id);

/// `details` null: they are not known. `asks_details`: the provider has some beside its list, so that without them the
/// facts are guesses.
[[nodiscard]] ListedModel listed_model(const providers::ModelLister& lister, const providers::ListedModel& listed,
                                       const providers::ModelDetails* details, bool asks_details,
                                       std::string_view connection_id);

/// `*` is any run of characters, `?` one.
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view name);

}  // namespace tokenrail::registry_sync
