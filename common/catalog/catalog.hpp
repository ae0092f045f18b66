// Catalogues of models as others publish them, read into rows of one form: LiteLLM's price map, models.dev,
// OpenRouter's list and Ollama's list. Pure: bytes in, rows out. Every entry of a file becomes a row or is refused with
// a reason; a field that cannot be read costs that field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/price.hpp"
#include "common/result.hpp"

namespace tokenrail::catalog {

enum class Source { litellm, models_dev, openrouter, ollama };
[[nodiscard]] std::string_view name_of(Source source);  ///< "litellm", "models-dev", "openrouter", "ollama"
[[nodiscard]] std::optional<Source> source_from(std::string_view name);
/// The licence of what the source publishes: "MIT". Empty: it names none, its lists are answers of an API.
[[nodiscard]] std::string_view licence_of(Source source);

/// A field of an entry that did not become part of its row.
struct SkippedField {
  std::string field;
  std::string reason;
  friend bool operator==(const SkippedField&, const SkippedField&) = default;
};

/// What a catalogue says of a model. Nothing: it says nothing of that.
struct Row {
  std::string provider;    ///< as the registry calls it, where it knows it; else as the source does
  std::string model_name;  ///< at that provider
  std::string kind{};      ///< generation, embedding, …
  std::string display_name{};
  std::string family{};
  std::string lifecycle{};     ///< preview | deprecated
  std::string release_date{};  ///< YYYY-MM-DD
  std::string retires_on{};    ///< YYYY-MM-DD
  std::optional<bool> open_weights{};
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> input_tokens_max{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, bool> capabilities{};  ///< one that is absent is unknown
  std::vector<Price> prices{};                 ///< in the order of their keys, each key once
  friend bool operator==(const Row&, const Row&) = default;
};

struct Entry {
  std::string key;  ///< where it is in the source: "azure/gpt-4o"
  Row row;
  std::vector<SkippedField> skipped{};
  std::size_t rounded = 0;  ///< prices that no integer expresses
};

struct Refused {
  std::string key;
  std::string reason;
};

struct Catalog {
  Source source = Source::litellm;
  std::vector<Entry> entries{};  ///< in the order of the file; no two are of one provider and model name
  std::vector<Refused> refused{};
};

/// Errors: invalid_input, where the file as a whole is not what it should be.
[[nodiscard]] Result<Catalog> read_catalog(Source source, std::string_view text);

/// What kind of catalogue a file is, by its form.
[[nodiscard]] std::optional<Source> source_of(std::string_view text);

/// The prices of an entry of a provider's list, where they are in Together's form, or in OpenRouter's, which other
/// providers use too. `pricing`: the JSON of that member; `type`: the text of the member of that name. Nothing: it says
/// nothing of prices.
[[nodiscard]] std::optional<std::vector<Price>> listed_prices(std::string_view pricing, std::string_view type = {});

/// The provider's name in the registry: "together_ai" and "togetherai" are "together".
[[nodiscard]] std::string registry_provider(std::string_view name);

}  // namespace tokenrail::catalog
