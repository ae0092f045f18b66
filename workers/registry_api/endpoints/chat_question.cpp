#include "workers/registry_api/endpoints/chat_question.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "common/telemetry/text_escape.hpp"

namespace tokenrail::registry_api {

namespace {

// Fields of a request that `params` may set; the others belong to the server.
constexpr std::array<std::string_view, 12> parameters{"temperature", "topP",       "topK",           "maxTokens",
                                                      "stop",        "seed",       "responseFormat", "reasoning",
                                                      "tools",       "toolChoice", "auto",           "providerConfig"};

void set(Json::Object& object, std::string_view name, Json value) {
  object.push_back({.name = std::string(name), .value = std::move(value)});
}

std::unexpected<Problem> wrong(std::string pointer, std::string detail) {
  return std::unexpected(Problem{.fault = Fault::invalid_body,
                                 .detail = detail,
                                 .errors = {{.pointer = std::move(pointer), .detail = std::move(detail)}}});
}

}  // namespace

std::expected<chat::Question, Problem> chat_question(const Json& body, const Asker& asker) {
  Json::Object request;
  set(request, "requestId", Json(asker.request_id));
  set(request, "orgId", Json(asker.org_id));
  set(request, "userId", Json(asker.user_id));
  if (const auto model = body.text_of("model")) {
    const auto slash = model->find('/');
    if (slash != std::string::npos) set(request, "modelProvider", Json(model->substr(0, slash)));
    set(request, "modelName", Json(slash == std::string::npos ? *model : model->substr(slash + 1)));
  }
  set(request, "messages", *body.find("messages"));
  if (const auto* const params = body.find("params"); params != nullptr && params->object() != nullptr) {
    for (const auto& member : *params->object()) {
      if (std::ranges::find(parameters, member.name) == parameters.end())
        return wrong("/params" + pointer_part(member.name), "is no parameter of a chat");
      set(request, member.name, member.value);
    }
  }
  const auto text = Json(std::move(request)).write();
  auto parsed = events::parse_chat_request(text, {});
  if (const auto* const invalid = std::get_if<events::InvalidRequest>(&parsed))
    return wrong("", telemetry::one_line(invalid->failure.message));
  auto* const good = std::get_if<events::ChatRequest>(&parsed);
  if (good == nullptr) return wrong("", "The request cannot be asked.");
  good->timeout = asker.timeout;
  return chat::Question{.request = std::move(*good), .key = asker.request_id, .timeout = asker.timeout};
}

}  // namespace tokenrail::registry_api
