#include "common/providers/cohere/cohere.hpp"

#include <string>
#include <utility>

#include "common/providers/cohere/chat_body.hpp"
#include "common/providers/cohere/classification.hpp"
#include "common/providers/cohere/decoder.hpp"
#include "common/providers/cohere/endpoints.hpp"
#include "common/providers/cohere/models.hpp"
#include "common/providers/cohere/vectors.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers::cohere {

namespace {

/// A target without a provider is Cohere itself.
std::string_view provider_of(const Target& target) {
  return target.provider.empty() ? std::string_view("cohere") : std::string_view(target.provider);
}

class Cohere final : public Provider {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "cohere"; }
  [[nodiscard]] std::string_view config_key(std::string_view /*provider*/) const override { return adapter(); }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    ChatCall call;
    auto body = chat_body(request, provider_of(target), target.upstream_name, call.warnings);
    if (!body) return std::unexpected(std::move(body.error()));
    call.request = post(target, "/v2/chat", std::move(*body));
    call.request.headers.push_back(
        {.name = "Accept", .value = request.stream ? "text/event-stream" : "application/json"});
    call.decoder = make_decoder(request.stream, limits, std::string(title_of(provider_of(target))),
                                prompt_bytes(request), !request.tools.empty());
    return call;
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return classify_response(title_of(provider_of(target)), head, body);
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return classify_end(title_of(provider_of(target)), end, target);
  }

  [[nodiscard]] const ModelLister* lister() const override { return &cohere::lister(); }
  [[nodiscard]] const Embedder* embedder() const override { return &cohere::embedder(); }
  [[nodiscard]] const Reranker* reranker() const override { return &cohere::reranker(); }
};

}  // namespace

const Provider& provider() {
  static const Cohere cohere;
  return cohere;
}

}  // namespace tokenrail::providers::cohere
