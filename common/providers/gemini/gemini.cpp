#include "common/providers/gemini/gemini.hpp"

#include <algorithm>

#include "common/providers/estimate.hpp"
#include "common/providers/failure_text.hpp"
#include "common/providers/gemini/chat_body.hpp"
#include "common/providers/gemini/classification.hpp"
#include "common/providers/gemini/decoder.hpp"
#include "common/providers/profile.hpp"
#include "common/url.hpp"

namespace tokenrail::providers::gemini {

namespace {

std::string_view title_of(const Target& target) {
  return target.provider.empty() ? "Gemini" : providers::title_of(target.provider);
}

/// `text` percent-encoded, but for the slashes between its segments.
std::string encoded_path(std::string_view text) {
  std::string out;
  while (true) {
    const auto segment = text.substr(0, text.find('/'));
    out += percent_encoded(segment);
    if (segment.size() == text.size()) return out;
    out += '/';
    text.remove_prefix(segment.size() + 1);
  }
}

class Gemini final : public Provider {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "gemini"; }
  [[nodiscard]] std::string_view config_key(std::string_view /*provider*/) const override { return adapter(); }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    ChatCall call;
    auto body = chat_body(request, target, call.warnings);
    if (!body) return std::unexpected(std::move(body.error()));
    call.request.method = "POST";
    call.request.url = method_url(target, request.stream ? "streamGenerateContent?alt=sse" : "generateContent");
    call.request.headers.push_back({.name = "Content-Type", .value = "application/json"});
    call.request.headers.push_back(
        {.name = "Accept", .value = request.stream ? "text/event-stream" : "application/json"});
    authorise(call.request, target.credential);
    call.request.body = std::move(*body);
    call.decoder = make_decoder(request.stream, limits,
                                {.provider = target.provider,
                                 .title = std::string(title_of(target)),
                                 .tools = !request.tools.empty(),
                                 .prompt_bytes = prompt_bytes(request)});
    return call;
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return classify_response(title_of(target), head, body);
  }
  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return classify_end(title_of(target), end, target);
  }
  [[nodiscard]] const ModelLister* lister() const override { return &gemini::lister(); }
  [[nodiscard]] const Embedder* embedder() const override { return &gemini::embedder(); }
};

}  // namespace

bool is_vertex(std::string_view base_url) {
  return contains_folded(base_url, "aiplatform.googleapis.com") || base_url.contains("/projects/");
}

std::string resource_name(std::string_view upstream_name) {
  constexpr std::string_view collections[] = {"models/", "tunedModels/", "publishers/", "endpoints/", "projects/"};
  const bool whole =
      std::ranges::any_of(collections, [&](std::string_view prefix) { return upstream_name.starts_with(prefix); });
  return whole ? std::string(upstream_name) : "models/" + std::string(upstream_name);
}

std::string method_url(const Target& target, std::string_view method) {
  const bool vertex = is_vertex(target.base_url);
  auto url = api_url(target.base_url, vertex ? "/v1" : "/v1beta", "");
  const auto name = resource_name(target.upstream_name);
  if (vertex && name.starts_with("models/") && !url.contains("/publishers/")) url += "/publishers/google";
  url += '/';
  url += encoded_path(name);
  url += ':';
  url += method;
  return url;
}

const Provider& provider() {
  static const Gemini instance;
  return instance;
}

}  // namespace tokenrail::providers::gemini
