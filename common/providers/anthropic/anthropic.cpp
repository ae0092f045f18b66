#include "common/providers/anthropic/anthropic.hpp"

#include "common/providers/anthropic/chat_body.hpp"
#include "common/providers/anthropic/classification.hpp"
#include "common/providers/anthropic/decoder.hpp"
#include "common/providers/anthropic/model_traits.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/profile.hpp"

namespace tokenrail::providers::anthropic {

namespace {

/// The version of the API that this adapter speaks; a server without it refuses the request.
constexpr std::string_view api_version = "2023-06-01";

class Anthropic final : public Provider, public ModelLister {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "anthropic"; }
  [[nodiscard]] std::string_view config_key(std::string_view /*provider*/) const override { return adapter(); }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    ChatCall call;
    auto body = chat_body(request, target.provider, target.upstream_name, call.warnings);
    if (!body) return std::unexpected(std::move(body.error()));
    call.request.method = "POST";
    call.request.url = url_of(target.base_url, "/messages");
    call.request.headers.push_back({.name = "Content-Type", .value = "application/json"});
    call.request.headers.push_back(
        {.name = "Accept", .value = request.stream ? "text/event-stream" : "application/json"});
    call.request.headers.push_back({.name = "anthropic-version", .value = std::string(api_version)});
    if (!body->betas.empty()) {
      call.request.headers.push_back({.name = "anthropic-beta", .value = std::move(body->betas)});
    }
    authorise(call.request, target.credential);
    call.request.body = std::move(body->json);
    call.decoder = make_decoder(request.stream, target.provider, limits, prompt_bytes(request));
    return call;
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return classify_response(title_of(target.provider), head, body);
  }
  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return classify_end(title_of(target.provider), end, target);
  }

  [[nodiscard]] bool takes_prefill(const Target& target) const override {
    return accepts_prefill(target.upstream_name);
  }

  [[nodiscard]] const ModelLister* lister() const override { return this; }
  [[nodiscard]] http::Request list(const Target& target, std::string_view page) const override {
    auto request = list_models(target, page);
    request.headers.push_back({.name = "anthropic-version", .value = std::string(api_version)});
    return request;
  }
  [[nodiscard]] Result<ModelPage> parse(const Target& /*target*/, std::string_view body) const override {
    return parse_model_list(body);
  }
};

}  // namespace

std::string url_of(std::string_view base_url, std::string_view path) {
  while (base_url.ends_with('/')) base_url.remove_suffix(1);
  std::string url(base_url);
  if (!url.ends_with("/v1")) url += "/v1";
  url += path;
  return url;
}

const Provider& provider() {
  static const Anthropic anthropic;
  return anthropic;
}

}  // namespace tokenrail::providers::anthropic
