#include "common/providers/openai_responses/openai_responses.hpp"

#include "common/providers/estimate.hpp"
#include "common/providers/openai_responses/chat_body.hpp"
#include "common/providers/openai_responses/classification.hpp"
#include "common/providers/openai_responses/decoder.hpp"

namespace tokenrail::providers::openai_responses {

namespace {

class OpenAiResponses final : public Provider {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "openai-responses"; }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    ChatCall call;
    auto body = chat_body(request, target, call.warnings);
    if (!body) return std::unexpected(std::move(body.error()));
    call.request.method = "POST";
    call.request.url = api_url(target.base_url, "/v1", "/responses");
    call.request.headers.push_back({.name = "Content-Type", .value = "application/json"});
    call.request.headers.push_back(
        {.name = "Accept", .value = request.stream ? "text/event-stream" : "application/json"});
    authorise(call.request, target.credential);
    call.request.body = std::move(*body);
    call.decoder = make_decoder(request.stream, limits, target, prompt_bytes(request));
    return call;
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return classify_response(target, head, body);
  }
  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return classify_end(end, target);
  }

  // The servers of this API have the lists and embeddings of Chat Completions beside it.
  [[nodiscard]] const ModelLister* lister() const override {
    const auto* const chat = find_provider("openai");
    return chat == nullptr ? nullptr : chat->lister();
  }
  [[nodiscard]] const Embedder* embedder() const override {
    const auto* const chat = find_provider("openai");
    return chat == nullptr ? nullptr : chat->embedder();
  }
};

}  // namespace

const Provider& provider() {
  static const OpenAiResponses one;
  return one;
}

}  // namespace tokenrail::providers::openai_responses
