#include "common/providers/openai/openai.hpp"

#include <utility>

#include <fmt/format.h>

#include "common/providers/estimate.hpp"
#include "common/providers/openai/chat_body.hpp"
#include "common/providers/openai/classification.hpp"
#include "common/providers/openai/decoder.hpp"
#include "common/providers/openai/messages.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers::openai {

namespace {

constexpr std::string_view version = "/v1";

class OpenAi final : public Provider, public ModelLister, public Embedder {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "openai"; }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    return chat_call(request, target, api_url(target.base_url, version, "/chat/completions"),
                     chat_profile(target.provider), adapter(), limits);
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return openai::classify_response(title_of(target.provider), head, body);
  }
  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return openai::classify_end(target, end, "https://api.openai.com/v1");
  }

  [[nodiscard]] bool takes_prefill(const Target& target) const override {
    return target.continues || chat_profile(target.provider).prefill != Prefill::none;
  }

  [[nodiscard]] const ModelLister* lister() const override { return this; }
  [[nodiscard]] http::Request list(const Target& target, std::string_view page) const override {
    return list_request(target, api_url(target.base_url, version, "/models"), page);
  }
  [[nodiscard]] Result<ModelPage> parse(const Target& /*target*/, std::string_view body) const override {
    return parse_model_list(body, adapter());
  }

  [[nodiscard]] const Embedder* embedder() const override { return this; }
  [[nodiscard]] Result<http::Request> embed(const Embedder::Request& request, const Target& target) const override {
    return embed_request(request, target, api_url(target.base_url, version, "/embeddings"),
                         chat_profile(target.provider));
  }
  [[nodiscard]] Result<Embedder::Answer> parse(std::string_view body) const override { return parse_embeddings(body); }

  [[nodiscard]] const Reranker* reranker() const override { return &openai::reranker(); }
};

}  // namespace

const Provider& provider() {
  static const OpenAi openai;
  return openai;
}

Result<ChatCall> chat_call(const events::ChatRequest& request, const Target& target, std::string url,
                           const ChatProfile& profile, std::string_view adapter, const DecoderLimits& limits) {
  ChatCall call;
  auto body = chat_body(request, target, profile, call.warnings);
  if (!body) return std::unexpected(std::move(body.error()));
  call.request.method = "POST";
  call.request.url = std::move(url);
  call.request.headers.push_back({.name = "Content-Type", .value = "application/json"});
  call.request.headers.push_back(
      {.name = "Accept", .value = request.stream ? "text/event-stream" : "application/json"});
  authorise(call.request, target.credential);
  call.request.body = std::move(*body);
  call.decoder = make_decoder({.stream = request.stream,
                               .limits = limits,
                               .provider = target.provider,
                               .adapter = adapter,
                               .model = profile.answers_unknown_models ? target.upstream_name : std::string(),
                               .profile = &profile,
                               .tools = !request.tools.empty(),
                               .repeated = profile.prefill == Prefill::marked ? prefill_of(request) : std::string(),
                               .prompt_bytes = prompt_bytes(request)});
  return call;
}

CallFailure classify_end(const Target& target, const http::End& end, std::string_view example_url) {
  const auto* const known = find_profile(target.provider);
  const bool hosted = known != nullptr && !known->base_url.empty();
  const auto title = title_of(target.provider);
  const auto advice =
      hosted ? std::string("Check that this machine reaches the internet.")
             : fmt::format("Is {} running? Start it, or set the connection's base URL to where it runs.", title);
  return providers::classify_end(title, end, target, {.connect_failed = advice, .example_url = example_url});
}

}  // namespace tokenrail::providers::openai
