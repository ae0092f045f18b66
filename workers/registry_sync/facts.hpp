// What a provider said of a model, in the registry's words. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/model_event.hpp"
#include "common/price.hpp"
#include "common/providers/provider.hpp"

namespace tokenrail::registry_sync {

/// One entry of a connection's list.
struct ListedModel {
  std::string name;
  std::string digest{};
  std::string details_key{};  ///< what the details go with; see details_key()
  std::string family{};
  std::string kind = "generation";
  std::string display_name{};
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, events::Support> capabilities{};
  std::optional<std::vector<Price>> prices{};   ///< nothing: the list does not say
  std::optional<std::int64_t> details_at_ms{};  ///< when the details were asked for; nothing: they were not
  bool details_known = false;                   ///< false: kind, limits and capabilities above are guesses or nothing
  std::string raw{};                            ///< as JSON, for the record
  std::string answer{};  ///< as it came, for the record: {"list": …, "details": …}; empty: it is not kept
};

/// A name that the registry can hold: 1 to 255 bytes of UTF-8 without control characters.
[[nodiscard]] bool storable_name(std::string_view name);

/// What the details of a listed model go with: its digest, and a hash of two things: of everything else that may change
/// them (the list's own words, the modification time, the version of the server), and of what distinguishes the model
/// from other models and connections.
[[nodiscard]] std::string details_key(const providers::ListedModel& listed, std::string_view connection_id);

/// `details` null: they are not known. `details_answer`: the text that they were read from; empty: they are remembered
/// from an earlier sync. `asks_details`: the provider has some beside its list, so that without them the
/// facts are guesses.
[[nodiscard]] ListedModel listed_model(const providers::ModelLister& lister, const providers::ListedModel& listed,
                                       const providers::ModelDetails* details, bool asks_details,
                                       std::string_view connection_id,
                                       std::optional<std::int64_t> details_at_ms = std::nullopt,
                                       std::string_view details_answer = {});

/// `*` is any run of characters, `?` one.
[[nodiscard]] bool matches_glob(std::string_view glob, std::string_view name);

}  // namespace tokenrail::registry_sync
