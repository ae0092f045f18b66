#include "common/catalog/row_json.hpp"

#include <utility>

#include <fmt/core.h>

#include "common/catalog/decimal.hpp"
#include "common/catalog/json_tree.hpp"

namespace tokenrail::catalog {

namespace {

using Kind = JsonTree::Kind;

class Members {
 public:
  void add(std::string_view name, const std::string& json) {
    if (text_.size() > 1) text_ += ',';
    append_quoted(text_, name);
    text_ += ':';
    text_ += json;
  }
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    std::string quoted;
    append_quoted(quoted, value);
    add(name, quoted);
  }
  void number(std::string_view name, const std::optional<std::int64_t>& value) {
    if (value) add(name, fmt::format("{}", *value));
  }
  [[nodiscard]] std::string finish() && { return std::move(text_) + "}"; }

 private:
  std::string text_ = "{";
};

std::string price_json(const Price& price) {
  Members members;
  members.text("dimension", name_of(price.key.dimension));
  if (price.key.tier != ServiceTier::standard) members.text("serviceTier", name_of(price.key.tier));
  if (price.key.min_context_tokens != 0) members.number("minContextTokens", price.key.min_context_tokens);
  // Minutes of the day, as the database has them.
  if (!price.key.window.whole_day()) {
    members.number("utcFrom", price.key.window.from_minute);
    members.number("utcTo", price.key.window.to_minute);
  }
  members.number("micros", price.micros);
  return std::move(members).finish();
}

std::optional<std::int64_t> number_of(const JsonTree& object, std::string_view name) {
  const auto* value = object.find(name);
  if (value == nullptr || !value->is(Kind::number)) return std::nullopt;
  const auto number = scaled(value->text, 0);
  return number && !number->rounded ? std::optional(number->value) : std::nullopt;
}

std::optional<Price> price_of(const JsonTree& object) {
  const auto dimension = price_dimension_from(object.text_of("dimension"));
  const auto* tier_given = object.find("serviceTier");
  const auto tier = tier_given == nullptr ? std::optional(ServiceTier::standard) : service_tier_from(tier_given->text);
  const auto micros = number_of(object, "micros");
  if (!dimension || !tier || !micros) return std::nullopt;
  return Price{.key = {.dimension = *dimension,
                       .tier = *tier,
                       .min_context_tokens = number_of(object, "minContextTokens").value_or(0),
                       .window = {.from_minute = static_cast<std::int16_t>(number_of(object, "utcFrom").value_or(0)),
                                  .to_minute = static_cast<std::int16_t>(number_of(object, "utcTo").value_or(0))}},
               .micros = *micros};
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string to_json(const Row& row) {
  Members members;
  members.text("kind", row.kind);
  members.text("displayName", row.display_name);
  members.text("family", row.family);
  members.text("lifecycle", row.lifecycle);
  members.text("releaseDate", row.release_date);
  members.text("retiresOn", row.retires_on);
  if (row.open_weights) members.add("openWeights", *row.open_weights ? "true" : "false");
  members.number("contextWindow", row.context_window);
  members.number("inputTokensMax", row.input_tokens_max);
  members.number("outputTokensMax", row.output_tokens_max);
  members.number("embeddingDimensions", row.embedding_dimensions);
  if (!row.capabilities.empty()) {
    Members capabilities;
    for (const auto& [name, has] : row.capabilities) capabilities.text(name, has ? "supported" : "unsupported");
    members.add("capabilities", std::move(capabilities).finish());
  }
  if (!row.prices.empty()) members.add("prices", to_json(row.prices));
  return std::move(members).finish();
}

std::string to_json(const std::vector<Price>& prices) {
  std::string json = "[";
  for (const auto& price : prices) json += (json.size() > 1 ? "," : "") + price_json(price);
  return json + "]";
}

Result<Row> parse_row(std::string_view provider, std::string_view model_name, std::string_view json) {
  const auto root = read_json_tree(json);
  if (!root) return std::unexpected(root.error());
  if (!root->is(Kind::object)) return fail(ErrorKind::invalid_input, "The entry is not an object.");
  Row row{.provider = std::string(provider),
          .model_name = std::string(model_name),
          .kind = std::string(root->text_of("kind")),
          .display_name = std::string(root->text_of("displayName")),
          .family = std::string(root->text_of("family")),
          .lifecycle = std::string(root->text_of("lifecycle")),
          .release_date = std::string(root->text_of("releaseDate")),
          .retires_on = std::string(root->text_of("retiresOn")),
          .open_weights = root->truth_of("openWeights"),
          .context_window = number_of(*root, "contextWindow"),
          .input_tokens_max = number_of(*root, "inputTokensMax"),
          .output_tokens_max = number_of(*root, "outputTokensMax"),
          .embedding_dimensions = number_of(*root, "embeddingDimensions")};
  if (const auto* capabilities = root->find("capabilities"))
    for (const auto& [name, value] : capabilities->members) row.capabilities[name] = value.text == "supported";
  if (const auto* prices = root->find("prices"))
    for (const auto& item : prices->items)
      if (auto price = price_of(item)) row.prices.push_back(*price);
  return row;
}

}  // namespace tokenrail::catalog
