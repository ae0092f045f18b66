#include "common/registry/fit.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace tokenrail::registry {

using events::ErrorCode;
using events::ModelState;
using events::Support;

namespace {

constexpr Need chat{"chat", "chat", "Choose a chat model"};

bool has_part(const events::ChatRequest& request, std::string_view type) {
  return std::ranges::any_of(request.messages, [&](const auto& message) {
    return std::ranges::any_of(message.content, [&](const auto& part) { return part.type == type; });
  });
}

std::optional<std::int64_t> input_limit(const EffectiveModel& model) {
  const auto input = model.nearest_value(&ModelState::input_tokens_max);
  return input ? input : model.nearest_value(&ModelState::context_window);
}

bool lacks(const EffectiveModel& model, const Need& need) {
  return model.support(need.capability) == Support::unsupported;
}

}  // namespace

Requirements requirements_of(const events::ChatRequest& request) {
  Requirements wanted{.needs = {chat}, .tokens_max = request.tokens_max};
  auto& needs = wanted.needs;
  const bool tools_off = request.tool_choice && request.tool_choice->mode == events::ToolChoice::Mode::none;
  if (!request.tools.empty() && !tools_off)
    needs.push_back({"tools", "tools", "Leave out `tools`, or choose a model that supports them"});
  if (has_part(request, "image"))
    needs.push_back({"vision", "images", "Leave out the image parts, or choose a model with vision"});
  if (has_part(request, "file"))
    needs.push_back({"files", "files", "Leave out the file parts, or choose a model that reads files"});
  if (has_part(request, "audio"))
    needs.push_back({"audio_in", "audio", "Leave out the audio parts, or choose a model that takes audio"});
  if (request.response_format) {
    using enum events::ResponseFormat::Kind;
    if (request.response_format->kind == json)
      needs.push_back({"json_mode", "JSON output", "Leave out `responseFormat`, or choose another model"});
    if (request.response_format->kind == json_schema)
      needs.push_back({"json_schema", "output by JSON Schema", "Leave out the schema, or choose another model"});
  }
  if (request.reasoning) {
    const auto& reasoning = *request.reasoning;
    const bool wants = reasoning.enabled.value_or(!reasoning.effort.empty() || reasoning.tokens_max.has_value());
    if (wants) needs.push_back({"reasoning", "reasoning", "Leave out `reasoning`, or choose a model that reasons"});
  }
  for (const auto& message : request.messages)
    for (const auto& part : message.content) wanted.text_bytes += static_cast<std::int64_t>(part.text.size());
  return wanted;
}

Requirements requirements_of_kind(std::string_view kind) {
  Requirements wanted{.kind = kind};
  if (kind == "generation") wanted.needs.push_back(chat);
  return wanted;
}

bool serves_kind(std::string_view kind, std::string_view wanted) {
  if (wanted != "generation") return kind == wanted;
  static constexpr std::array<std::string_view, 10> others{
      "embedding", "rerank", "classification", "ner", "image", "speech", "transcription", "moderation", "video", "ocr"};
  return std::ranges::find(others, kind) == others.end();
}

Failing failing(const EffectiveModel& model, const Requirements& requirements) {
  Failing failing;
  if (!serves_kind(model.nearest().kind, requirements.kind)) {
    failing.add(ClauseName::kind);
    return failing;  // what it would have to be able to do depends on the kind
  }
  if (std::ranges::any_of(requirements.needs, [&](const Need& need) { return lacks(model, need); }))
    failing.add(ClauseName::capability);
  const auto limit = input_limit(model);
  if (limit && *limit > 0 && requirements.text_bytes / prompt_bytes_per_token_max > *limit)
    failing.add(ClauseName::context);
  const auto output = model.nearest_value(&ModelState::output_tokens_max);
  if (requirements.tokens_max && output && *requirements.tokens_max > *output) failing.add(ClauseName::output);
  return failing;
}

bool surely_fits(const EffectiveModel& model, const Requirements& requirements) {
  return std::ranges::all_of(requirements.needs, [&](const Need& need) {
    // Every model of kind generation chats unless it is known not to.
    return need.capability == chat.capability ? !lacks(model, need)
                                              : model.support(need.capability) == Support::supported;
  });
}

Clause describe(const EffectiveModel& model, const Requirements& requirements, ClauseName name,
                const Failing& failing) {
  const auto text = text_of({model.nearest().provider, model.nearest().model_name});
  Clause clause{.name = name, .ok = !failing.has(name)};
  switch (name) {
    case ClauseName::kind:
      clause.code = ErrorCode::capability_unsupported;
      if (clause.ok) {
        clause.detail = fmt::format("It is of kind {}.", model.nearest().kind);
      } else if (requirements.kind == "generation") {
        clause.detail = fmt::format("The model {} is of kind {} and cannot answer a chat.", text, model.nearest().kind);
        clause.advice = fmt::format("Choose a model of kind generation ({}).", list_command);
      } else {
        clause.detail =
            fmt::format("The model {} is of kind {}, not {}.", text, model.nearest().kind, requirements.kind);
        clause.advice = fmt::format("Choose a model of kind {} ({}).", requirements.kind, list_command);
      }
      break;
    case ClauseName::capability: {
      clause.code = ErrorCode::capability_unsupported;
      std::vector<std::string_view> lacking;
      std::string_view advice;
      for (const auto& need : requirements.needs) {
        if (!lacks(model, need)) continue;
        if (lacking.empty()) advice = need.advice;
        lacking.push_back(need.words);
      }
      if (clause.ok) {
        clause.detail = "It is not known to lack anything that is needed.";
        break;
      }
      clause.detail = fmt::format("The model {} does not support {}.", text, fmt::join(lacking, " and "));
      clause.advice = fmt::format("{} ({}).", advice, list_command);
      break;
    }
    case ClauseName::context: {
      clause.code = ErrorCode::context_too_long;
      const auto limit = input_limit(model);
      if (clause.ok) {
        clause.detail = limit ? fmt::format("It reads {} tokens.", *limit) : "How much it reads is not known.";
        break;
      }
      clause.detail = fmt::format(
          "The messages hold {} bytes of text, far more than the {} tokens that the model {} can "
          "read.",
          requirements.text_bytes, *limit, text);
      clause.advice =
          fmt::format("Send fewer or shorter messages, or choose a model with a larger context ({}).", list_command);
      break;
    }
    case ClauseName::output: {
      clause.code = ErrorCode::invalid_request;
      const auto limit = model.nearest_value(&ModelState::output_tokens_max);
      if (clause.ok) {
        clause.detail =
            limit ? fmt::format("It writes at most {} tokens.", *limit) : "How much it writes is not known.";
        break;
      }
      clause.detail = fmt::format("`maxTokens` is {}, but the model {} writes at most {} tokens.",
                                  *requirements.tokens_max, text, *limit);
      clause.advice = fmt::format("Ask for {} or fewer.", *limit);
      break;
    }
    default:
      break;
  }
  return clause;
}

}  // namespace tokenrail::registry
